"""Times for words that came without: guided by where it sounds like speech, and how long words are.

Speech falls into runs between pauses. Dynamic programming spreads the words over the runs, so that
each run is about as long as its words would take at the chunk's mean speaking rate, and pauses
rather follow punctuation; within a run time goes by the length of the words as they are spoken. So
no word lies over a pause. A forced alignment by an acoustic model is closer; this needs none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from services.runtime.audio import SAMPLE_RATE_HZ, Samples
from services.transcribe.speech import Stretch
from services.transcribe.written import bare, spoken_length

Span = tuple[float, float]
"""Start and end in milliseconds."""
Floats = npt.NDArray[np.float64]

_FRAME_MS = 10
_FRAME = SAMPLE_RATE_HZ * _FRAME_MS // 1000
_SHORTEST_PAUSE_MS = 180
"""The closure of a stop takes up to 150 ms."""
_SHORTEST_RUN_MS = 60
_QUIETEST_DB = -80.0
_PEAK_FRAMES = 5
_SLACK = 0.15
"""By how much of all speech the words may run ahead of the mean rate, or behind it."""
_LEAST_SLACK_MS = 6_000.0
_UNPUNCTUATED_PAUSE_MS = 300.0
"""A pause of a second without punctuation before it counts like so much wrong duration."""
_FINAL_SOUNDS = 2.0
"""The last word before a pause is drawn out: Klatt 1976, Linguistic uses of segmental duration in
English, Journal of the Acoustical Society of America 59(5)."""
_ENDS_PHRASE = re.compile(r"[.,;:!?\u2026\u3001\u3002\uff01\uff1f\u2013\u2014-]\W*$")


def aligned(texts: Sequence[str], samples: Samples, speech: Sequence[Stretch]) -> list[Span]:
    """When each word was spoken, in order; nothing at all where nobody speaks.

    `speech` is where a voice activity detector hears some, in samples.
    """
    runs = sounding(samples, speech)
    if not runs or not texts:
        return []
    lengths = np.array([spoken_length(text) for text in texts])
    ends = _last_words(texts, lengths, runs)
    spans: list[Span] = []
    for (start, end), (first, last) in zip(runs, pairwise([0, *ends]), strict=True):
        inside = lengths[first:last].copy()
        inside[-1:] += _FINAL_SOUNDS
        spans += _shared(inside, (start, end))
    return spans


def sounding(samples: Samples, speech: Sequence[Stretch]) -> list[Span]:
    """Runs of sound within the stretches of speech, in order, with pauses between them.

    A stretch that is even throughout is one run.
    """
    levels = _levels_db(samples)
    floor = float(np.percentile(levels, 10)) if len(levels) else _QUIETEST_DB
    found: list[Span] = []
    for start, end in speech:
        inside = levels[start // _FRAME : -(-end // _FRAME)]
        edges = (start * 1000 / SAMPLE_RATE_HZ, end * 1000 / SAMPLE_RATE_HZ)
        found += list(_runs(inside, floor, edges)) or [edges]
    return found


def with_times_of(texts: Sequence[str], heard: Sequence[tuple[str, Span]]) -> list[Span]:
    """Times for the words of a text, from the same words as they were timed without punctuation.

    Words that differ share the time of those in their place.
    """
    matcher = SequenceMatcher(
        a=[bare(text) for text in texts], b=[bare(text) for text, _ in heard], autojunk=False
    )
    spans: list[Span] = []
    for kind, a1, a2, b1, b2 in matcher.get_opcodes():
        if kind == "equal":
            spans += [span for _, span in heard[b1:b2]]
        elif a1 < a2:
            lengths = np.array([spoken_length(text) for text in texts[a1:a2]])
            spans += _shared(lengths, _room(heard, b1, b2))
    return spans


def _room(heard: Sequence[tuple[str, Span]], first: int, last: int) -> Span:
    """The time of some words; of none, the moment between their neighbours."""
    if first < last:
        return heard[first][1][0], heard[last - 1][1][1]
    moment = heard[first - 1][1][1] if first else heard[0][1][0] if heard else 0.0
    return moment, moment


def _shared(lengths: Floats, room: Span) -> list[Span]:
    """A room divided by the length of words."""
    edges = room[0] + (room[1] - room[0]) * np.cumsum([0.0, *lengths]) / max(lengths.sum(), 1.0)
    return [(float(one), float(other)) for one, other in pairwise(edges)]


def _levels_db(samples: Samples) -> Floats:
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    power = np.asarray((frames**2).mean(axis=1), dtype=np.float64)
    levels: Floats = np.maximum(10 * np.log10(power + 1e-12), _QUIETEST_DB)
    return levels


def _runs(levels: Floats, floor: float, edges: Span) -> Iterator[Span]:
    """Frames well above the noise, without their short gaps and without clicks."""
    if not len(levels):
        return
    peak = float(np.sort(levels)[-_PEAK_FRAMES:].mean())
    loud = np.flatnonzero(levels > max(peak - 30, min(floor + 9, peak - 12)))
    breaks = np.flatnonzero(np.diff(loud) > _SHORTEST_PAUSE_MS // _FRAME_MS)
    for part in np.split(loud, breaks + 1):
        if len(part) * _FRAME_MS >= _SHORTEST_RUN_MS:
            start = edges[0] + float(part[0]) * _FRAME_MS
            yield start, min(edges[0] + float(part[-1] + 1) * _FRAME_MS, edges[1])


def _last_words(texts: Sequence[str], lengths: Floats, runs: Sequence[Span]) -> list[int]:
    """How many words are said by the end of each run."""
    said = np.concatenate([[0.0], np.cumsum(lengths)])
    durations = np.array([end - start for start, end in runs])
    rate = durations.sum() / (said[-1] + _FINAL_SOUNDS * len(runs))
    wanted, final = said * rate, _FINAL_SOUNDS * rate
    slack = max(_LEAST_SLACK_MS, _SLACK * durations.sum())
    pauses = _pause_costs(texts)
    costs = np.where(np.arange(len(said)) == 0, 0.0, np.inf)
    choices: list[npt.NDArray[np.intp]] = []
    for run, duration in enumerate(durations):
        elapsed = durations[: run + 1].sum() - (run + 1) * final
        reached = np.abs(wanted - elapsed) <= slack
        costs, chosen = _after_run(costs, wanted, reached, duration, final)
        if run + 1 < len(runs):
            costs = costs + pauses * min(runs[run + 1][0] - runs[run][1], 1_000.0) / 1_000.0
        choices.append(chosen)
    ends = [len(texts)]
    for chosen in reversed(choices[1:]):
        ends.append(int(chosen[ends[-1]]))
    return ends[::-1]


def _after_run(
    costs: Floats,
    wanted: Floats,
    reached: npt.NDArray[np.bool_],
    duration: float,
    final: float,
) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Least cost of every number of words after a run, and the number before it."""
    before, after = np.flatnonzero(np.isfinite(costs)), np.flatnonzero(reached)
    taken = wanted[after, np.newaxis] - wanted[before]
    drawn_out = np.where(taken > 0, taken + final, 0.0)
    misfit = (drawn_out - duration) ** 2 / (drawn_out + duration + 1)
    totals = costs[before] + np.where(taken < 0, np.inf, misfit)
    best = totals.argmin(axis=1)
    new_costs = np.full(len(costs), np.inf)
    new_costs[after] = totals[np.arange(len(after)), best]
    chosen = np.zeros(len(costs), dtype=np.intp)
    chosen[after] = before[best]
    return new_costs, chosen


def _pause_costs(texts: Sequence[str]) -> Floats:
    """What a pause of a second costs after so many words."""
    ends = [bool(_ENDS_PHRASE.search(text)) for text in texts]
    return np.array([0.0, *(0.0 if end else _UNPUNCTUATED_PAUSE_MS for end in ends)])
