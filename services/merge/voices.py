"""The local speakers of each chunk, and what the overlaps of chunks say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import numpy.typing as npt

from services.merge.clustering import ENOUGH_SPEECH_MS
from services.merge.overlap import overlaps
from voxmesh_schemas import ChunkSpan, Diarization, Turn

SHARED_MS = 400
"""Two local speakers are not linked by less speech in common than this."""
SEAM_MS = 100
"""A gap between two turns of one speaker that is no pause, only a seam."""

Space = tuple[str, str, int]
"""Engine, model and dimension: embeddings are comparable within one only."""
Diarized = Sequence[tuple[ChunkSpan, Diarization]]
"""Chunks of one channel in order of start."""


@dataclass(frozen=True)
class Voice:
    """A local speaker of one chunk."""

    chunk: int
    """Position of the chunk in its channel."""
    turns: tuple[Turn, ...]
    """On the job's timeline, in order, apart from each other."""
    speech_ms: int
    space: Space | None
    embedding: npt.NDArray[np.float64]
    """Of unit length; empty when there is no space."""

    @property
    def reliable(self) -> bool:
        """Whether its embedding, if any, rests on enough speech."""
        return self.speech_ms >= ENOUGH_SPEECH_MS


@dataclass(frozen=True)
class Link:
    """Two voices of neighbouring chunks that speak at the same times where these overlap."""

    one: int
    other: int
    shared_ms: int


def local_voices(diarized: Diarized) -> list[Voice]:
    """All local speakers, chunk by chunk, in order of their first turns."""
    return [
        _voice(position, chunk, diarization, label)
        for position, (chunk, diarization) in enumerate(diarized)
        for label in dict.fromkeys(turn.speaker for turn in diarization.turns)
    ]


def _voice(position: int, chunk: ChunkSpan, diarization: Diarization, label: str) -> Voice:
    turns = joined(
        Turn(
            start_ms=chunk.start_ms + turn.start_ms,
            end_ms=chunk.start_ms + turn.end_ms,
            speaker=label,
        )
        for turn in diarization.turns
        if turn.speaker == label
    )
    embedding = np.asarray(diarization.embeddings.get(label, ()), dtype=np.float64)
    length = float(np.linalg.norm(embedding))
    known = bool(np.isfinite(length)) and length > 0
    return Voice(
        chunk=position,
        turns=tuple(turns),
        speech_ms=sum(turn.duration_ms for turn in turns),
        space=(diarization.engine, diarization.model, len(embedding)) if known else None,
        embedding=embedding / length if known else embedding[:0],
    )


def overlap_links(diarized: Diarized, voices: Sequence[Voice]) -> Iterator[Link]:
    """Pairs of voices that share at least half of their speech in the overlap of two neighbours.

    Each voice is in one pair per neighbour at most: those pairs are taken that share most in all
    (Hungarian method, Kuhn 1955).
    """
    by_chunk = {
        chunk: list(numbers)
        for chunk, numbers in groupby(range(len(voices)), lambda number: voices[number].chunk)
    }
    for before, after in pairwise(range(len(diarized))):
        start, end = diarized[after][0].start_ms, diarized[before][0].end_ms
        earlier = _speech_within(voices, by_chunk.get(before, []), start, end)
        later = _speech_within(voices, by_chunk.get(after, []), start, end)
        if earlier and later:
            yield from _best_pairs(earlier, later)


def _speech_within(
    voices: Sequence[Voice], numbers: Iterable[int], start_ms: int, end_ms: int
) -> dict[int, list[Turn]]:
    speech = {number: clipped(voices[number].turns, start_ms, end_ms) for number in numbers}
    return {number: turns for number, turns in speech.items() if turns}


def _best_pairs(earlier: dict[int, list[Turn]], later: dict[int, list[Turn]]) -> Iterator[Link]:
    from scipy.optimize import linear_sum_assignment

    ones, others = list(earlier), list(later)
    shared = np.array(
        [[_shared_ms(earlier[one], later[other]) for other in others] for one in ones]
    )
    for row, column in zip(*linear_sum_assignment(shared, maximize=True), strict=True):
        one, other, shared_ms = ones[row], others[column], int(shared[row, column])
        either_ms = _length_ms(earlier[one]) + _length_ms(later[other]) - shared_ms
        if shared_ms >= SHARED_MS and 2 * shared_ms >= either_ms:
            yield Link(one, other, shared_ms)


def _shared_ms(turns: Sequence[Turn], others: Sequence[Turn]) -> int:
    return sum(shared for found in overlaps(turns, others) for _, shared in found)


def _length_ms(turns: Iterable[Turn]) -> int:
    return sum(turn.duration_ms for turn in turns)


class People:
    """Voices of one channel, joined into people (disjoint sets, Tarjan 1975)."""

    def __init__(self, voices: Sequence[Voice]) -> None:
        self.voices = voices
        self._parent = list(range(len(voices)))
        self._chunks = [{voice.chunk} for voice in voices]

    def of(self, voice: int) -> int:
        """The person, as the number of one of their voices."""
        while self._parent[voice] != voice:
            self._parent[voice] = self._parent[self._parent[voice]]
            voice = self._parent[voice]
        return voice

    def chunks(self, voice: int) -> set[int]:
        """The chunks in which the person with this voice is heard."""
        return self._chunks[self.of(voice)]

    def can_be_one(self, one: int, other: int) -> bool:
        """Whether two voices are not known to be different people."""
        return self.of(one) == self.of(other) or self.chunks(one).isdisjoint(self.chunks(other))

    def join(self, one: int, other: int) -> None:
        """Take two voices, and all joined with them, for one person's."""
        one, other = self.of(one), self.of(other)
        if one == other:
            return
        if len(self._chunks[one]) < len(self._chunks[other]):
            one, other = other, one
        self._parent[other] = one
        self._chunks[one] |= self._chunks[other]

    def groups(self, voices: Iterable[int]) -> list[list[int]]:
        """The given voices by person, people in order of their first voice."""
        found: dict[int, list[int]] = {}
        for voice in voices:
            found.setdefault(self.of(voice), []).append(voice)
        return list(found.values())


def cores(diarized: Diarized) -> list[tuple[int, int]]:
    """The stretch that each chunk speaks for: overlaps are cut in their middle."""
    spans = [[chunk.start_ms, chunk.end_ms] for chunk, _ in diarized]
    for before, after in pairwise(spans):
        if before[1] > after[0]:
            before[1] = after[0] = (before[1] + after[0]) // 2
    return [(start, max(start, end)) for start, end in spans]


def clipped(turns: Iterable[Turn], start_ms: int, end_ms: int) -> list[Turn]:
    """What of the turns lies within a stretch."""
    return [
        Turn(
            start_ms=max(turn.start_ms, start_ms),
            end_ms=min(turn.end_ms, end_ms),
            speaker=turn.speaker,
        )
        for turn in turns
        if turn.start_ms < end_ms and turn.end_ms > start_ms and turn.start_ms < turn.end_ms
    ]


def joined(turns: Iterable[Turn]) -> list[Turn]:
    """Turns of one speaker, those that overlap or touch made one; in order of start."""
    result: list[Turn] = []
    for turn in sorted(turns, key=lambda turn: (turn.start_ms, turn.end_ms)):
        if result and turn.start_ms - result[-1].end_ms <= SEAM_MS:
            end_ms = max(result[-1].end_ms, turn.end_ms)
            result[-1] = result[-1].model_copy(update={"end_ms": end_ms})
        else:
            result.append(turn)
    return result
