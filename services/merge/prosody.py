"""Prosody judged against the speaker's own baseline.

How people usually speak differs far more than emotion moves it, so pitch, pitch range and loudness
mean something only as deviations from the speaker's own. Which way emotions move them is taken
from two reviews: Scherer 2003, Vocal communication of emotion (Speech Communication 40) and Juslin
& Laukka 2003, Communication of emotions in vocal expression and music performance (Psychological
Bulletin 129). Both find that prosody tells arousal well and valence hardly, which is why anger and
joy differ little here. Disgust, without a consistent pattern, and surprise, which they do not
compare, stay as likely as they are beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp

import numpy as np
import numpy.typing as npt

from services.merge.overlap import overlaps
from voxmesh_schemas import Emotion, EmotionWindow, Prosody, Utterance

Floats = npt.NDArray[np.float64]

VOICED = 0.2
"""Share of frames with a pitch, below which a window is not judged."""
OWN_SHARE = 0.7
"""Share of a window's speech that must be one speaker's, for it to be judged."""
FEW = 5
"""With one window more than this, what a speaker's own windows say counts half."""

# Pitch, pitch range, loudness in the speaker's own deviations. On fear the reviews agree on raised
# pitch only; a narrow range is found more often than a wide one, loudness goes either way.
_PATTERNS = {
    Emotion.NEUTRAL: (0.0, 0.0, 0.0),
    Emotion.HAPPY: (1.0, 1.0, 0.5),
    Emotion.SAD: (-1.0, -1.0, -1.0),
    Emotion.ANGRY: (1.0, 1.0, 1.0),
    Emotion.FEARFUL: (1.0, -0.5, 0.0),
}
_PRIOR = dict.fromkeys(Emotion, 0.05) | {Emotion.NEUTRAL: 0.7}
# The three measures go together, so they are no three witnesses: a variance above one keeps their
# joint verdict modest.
_VARIANCE = 2.0
_FARTHEST = 3.0
# Semitones, semitones, decibels. Less is hardly heard, however steady a voice is otherwise.
_LEAST_SPREAD = np.array([1.0, 1.5, 2.0])
_MAD_TO_DEVIATION = 1.4826  # for a normal distribution


def judge_prosody(
    windows: Sequence[EmotionWindow], utterances: Sequence[Utterance]
) -> tuple[EmotionWindow, ...]:
    """The windows, those with prosody judged by the baseline of whoever speaks in them.

    Windows and utterances of one channel on one timeline, both in order of start. A window stays
    without probabilities where it is hardly voiced, or where no one speaker has most of it.
    """
    speakers = [
        _main_speaker((utterances[index].speaker, shared_ms) for index, shared_ms in shared)
        for shared in overlaps(windows, utterances)
    ]
    by_speaker: dict[str, list[int]] = {}
    measures: dict[int, tuple[float, float, float]] = {}
    for position, (window, speaker) in enumerate(zip(windows, speakers, strict=True)):
        if speaker is not None and window.prosody and window.prosody.voiced >= VOICED:
            by_speaker.setdefault(speaker, []).append(position)
            measures[position] = _measures(window.prosody)
    judged = list(windows)
    deviations = _deviations([[measures[p] for p in own] for own in by_speaker.values()])
    for own, rows in zip(by_speaker.values(), deviations, strict=True):
        for position, deviation in zip(own, rows.tolist(), strict=True):
            update = {"probabilities": _probabilities(deviation)}
            judged[position] = windows[position].model_copy(update=update)
    return tuple(judged)


def _main_speaker(shares: Iterable[tuple[str | None, int]]) -> str | None:
    """Who speaks `OWN_SHARE` of a window's speech; unknown speakers go as one, named ''."""
    times: dict[str, int] = {}
    for speaker, shared_ms in shares:
        times[speaker or ""] = times.get(speaker or "", 0) + shared_ms
    if not times:
        return None
    main = max(times, key=times.__getitem__)
    return main if times[main] >= OWN_SHARE * sum(times.values()) else None


def _measures(prosody: Prosody) -> tuple[float, float, float]:
    return prosody.pitch_st, prosody.pitch_range_st, prosody.loudness_db


def _deviations(speakers: Sequence[Sequence[tuple[float, float, float]]]) -> list[Floats]:
    """How far each window is from its speaker's median, in the speaker's spread; (windows, 3).

    The spread is 1.4826 times the median absolute deviation, drawn towards that of all speakers'
    windows about their own medians when the speaker has few. The median is the speaker's alone,
    for one voice says nothing of the pitch of another; instead the deviations themselves count
    less the fewer windows there are, and not at all when there is only one.
    """
    centred = [np.array(rows) - np.median(np.array(rows), axis=0) for rows in speakers]
    if not centred:
        return []
    everyone = _spread(np.concatenate(centred))
    result = []
    for rows in centred:
        trust = (len(rows) - 1) / (len(rows) - 1 + FEW)
        spread = trust * _spread(rows) + (1 - trust) * everyone
        deviations = trust * rows / np.maximum(spread, _LEAST_SPREAD)
        result.append(np.clip(deviations, -_FARTHEST, _FARTHEST))
    return result


def _spread(centred: Floats) -> Floats:
    return np.asarray(_MAD_TO_DEVIATION * np.median(np.abs(centred), axis=0))


def _probabilities(deviation: Sequence[float]) -> dict[Emotion, float]:
    """Bayes' rule with a normal distribution about each emotion's pattern."""
    odds = dict(_PRIOR)
    for emotion, pattern in _PATTERNS.items():
        along = sum(p * d for p, d in zip(pattern, deviation, strict=True))
        odds[emotion] *= exp((along - sum(p * p for p in pattern) / 2) / _VARIANCE)
    total = sum(odds.values())
    return {emotion: odds[emotion] / total for emotion in Emotion}
