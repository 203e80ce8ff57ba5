"""How an utterance came across: audio and text taken together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Literal

from services.merge.overlap import Timed, overlaps
from voxmesh_schemas import Emotion, EmotionWindow, Utterance, UtteranceEmotion

Distribution = dict[Emotion, float]
"""Probabilities over the labels that an engine knows, adding up to 1."""

FLOOR = 0.4
"""A label that is less probable is not worth telling."""
LEAST_COVER = 0.25
"""Share of an utterance that must have been judged, to say anything of it."""

# A voice tells more of how something was meant than the words do, unless only the words are sure.
_AUDIO_AT_REST, _AUDIO_WHEN_SURE, _AUDIO_WHEN_TEXT_SURE = 0.7, 0.9, 0.3
_UNSURE, _SURE = 0.5, 0.8
_REMEMBERED = 5
_MEMORY = 0.15


def fuse_emotions(
    utterances: Sequence[Utterance],
    audio: Sequence[EmotionWindow],
    text: Sequence[EmotionWindow],
) -> tuple[UtteranceEmotion | None, ...]:
    """The emotion of each utterance, None where nothing is sure enough.

    Everything of one channel on one timeline and in order of start. An utterance leans a little
    towards its speaker's last five, so that a near tie does not flicker.
    """
    memories: dict[str, deque[Distribution]] = {}
    fused: list[UtteranceEmotion | None] = []
    for utterance, heard, read in zip(
        utterances, average(utterances, audio), average(utterances, text), strict=True
    ):
        distribution = fuse(heard, read)
        if distribution is None:
            fused.append(None)
            continue
        memory: deque[Distribution] = deque(maxlen=_REMEMBERED)
        if utterance.speaker is not None:
            memory = memories.setdefault(utterance.speaker, memory)
        modalities: list[Literal["audio", "text"]] = ["audio"] if heard else []
        modalities += ["text"] if read else []
        fused.append(_verdict(_leaning(distribution, memory), modalities))
        memory.append(distribution)
    return tuple(fused)


def average(
    utterances: Sequence[Timed], windows: Sequence[EmotionWindow]
) -> list[Distribution | None]:
    """Each utterance's windows, averaged by the time they share with it.

    None where too little of the utterance was judged.
    """
    averages: list[Distribution | None] = []
    for utterance, shared in zip(utterances, overlaps(utterances, windows), strict=True):
        total: Distribution = {}
        covered_ms = 0
        for index, shared_ms in shared:
            probabilities = windows[index].probabilities
            if probabilities is None:
                continue
            covered_ms += shared_ms
            for emotion, probability in probabilities.items():
                total[emotion] = total.get(emotion, 0.0) + shared_ms * probability
        duration_ms = max(utterance.end_ms - utterance.start_ms, 1)
        known = covered_ms >= LEAST_COVER * duration_ms and total
        mass = sum(total.values())
        averages.append({emotion: t / mass for emotion, t in total.items()} if known else None)
    return averages


def fuse(audio: Distribution | None, text: Distribution | None) -> Distribution | None:
    """One distribution over all labels, or None when neither modality knows.

    A weighted mean. A modality that is missing counts as one that holds all labels alike, so that
    the other must be the surer to be believed. What a modality's engine has no label for, it leaves
    to the other instead of denying it.
    """
    if audio is None and text is None:
        return None
    weight = audio_weight(_confidence(audio), _confidence(text))
    heard, read = _completed(audio, text), _completed(text, audio)
    return {emotion: weight * heard[emotion] + (1 - weight) * read[emotion] for emotion in Emotion}


def audio_weight(audio: float, text: float) -> float:
    """The weight of audio, that of text being the rest, by how probable the top label of each is.

    0.7 at rest; 0.9 where audio is sure (0.8 and more) and text is not (0.5 and less), 0.3 the
    other way round, and evenly in between.
    """
    sure_audio, sure_text = _sureness(audio), _sureness(text)
    return (
        _AUDIO_AT_REST
        + (_AUDIO_WHEN_SURE - _AUDIO_AT_REST) * sure_audio * (1 - sure_text)
        - (_AUDIO_AT_REST - _AUDIO_WHEN_TEXT_SURE) * sure_text * (1 - sure_audio)
    )


def _sureness(probability: float) -> float:
    return min(max((probability - _UNSURE) / (_SURE - _UNSURE), 0.0), 1.0)


def _confidence(distribution: Distribution | None) -> float:
    return max(distribution.values()) if distribution else 0.0


def _completed(distribution: Distribution | None, other: Distribution | None) -> Distribution:
    """A modality's distribution over all labels."""
    if distribution is None:
        return dict.fromkeys(Emotion, 1 / len(Emotion))
    if other is None:
        return {emotion: distribution.get(emotion, 0.0) for emotion in Emotion}
    left_open = {e: other.get(e, 0.0) for e in Emotion if e not in distribution}
    rest = 1 - sum(left_open.values())
    return {e: left_open.get(e, rest * distribution.get(e, 0.0)) for e in Emotion}


def _leaning(distribution: Distribution, memory: Iterable[Distribution]) -> Distribution:
    past = list(memory)
    if not past:
        return distribution
    return {
        emotion: (1 - _MEMORY) * distribution[emotion]
        + _MEMORY * sum(earlier[emotion] for earlier in past) / len(past)
        for emotion in Emotion
    }


def _verdict(
    distribution: Distribution, modalities: Sequence[Literal["audio", "text"]]
) -> UtteranceEmotion | None:
    probabilities = {emotion: round(distribution[emotion], 4) for emotion in Emotion}
    label = max(probabilities, key=probabilities.__getitem__)
    if probabilities[label] < FLOOR:
        return None
    return UtteranceEmotion(
        label=label,
        confidence=probabilities[label],
        probabilities=probabilities,
        modalities=tuple(modalities),
    )
