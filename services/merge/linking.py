"""One label per person over the whole recording.

Each chunk was diarized by itself, so its speakers are local. What tells who is who across chunks:

- two local speakers of one chunk are different people;
- where chunks overlap, two local speakers who speak at the same times are the same person;
- embeddings, compared only within the space of one engine and model (`clustering`).

Where embeddings cannot be compared, the overlaps decide alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby, pairwise

import numpy as np

from services.merge.clustering import Floats, Likeness, Voices, calibrate, cluster
from voxmesh_schemas import Chunk, Diarization, Turn

ENOUGH_SPEECH_MS = 2_000
"""Less speech than this makes an embedding that is not to be relied on."""
SHARED_MS = 400
"""Two local speakers are not linked by less speech in common than this."""
JOIN_MS = 100
"""A gap between turns of one speaker that is no pause, only a seam."""

Space = tuple[str, str, int]
"""Engine, model and dimension: embeddings are comparable within one only."""


@dataclass(frozen=True)
class _Voice:
    """A local speaker of one chunk; turns on the job's timeline."""

    chunk: int
    turns: tuple[Turn, ...]
    speech_ms: int
    space: Space | None
    embedding: Floats
    """Of unit length; empty when there is no space."""

    @property
    def reliable(self) -> bool:
        return self.space is not None and self.speech_ms >= ENOUGH_SPEECH_MS


@dataclass(frozen=True)
class _Link:
    """Two voices of neighbouring chunks that speak at the same times in the overlap."""

    one: int
    other: int
    shared_ms: int


class _People:
    """Voices joined into people."""

    def __init__(self, voices: Sequence[_Voice]) -> None:
        self._parent = list(range(len(voices)))
        self._chunks = [{voice.chunk} for voice in voices]

    def of(self, voice: int) -> int:
        """The person, as the number of one of their voices."""
        while self._parent[voice] != voice:
            self._parent[voice] = self._parent[self._parent[voice]]
            voice = self._parent[voice]
        return voice

    def strangers(self, one: int, other: int) -> bool:
        """Whether two voices are known to be different people: both are heard in one chunk."""
        one, other = self.of(one), self.of(other)
        return one != other and not self._chunks[one].isdisjoint(self._chunks[other])

    def join(self, one: int, other: int) -> None:
        one, other = self.of(one), self.of(other)
        if one == other:
            return
        if len(self._chunks[one]) < len(self._chunks[other]):
            one, other = other, one
        self._parent[other] = one
        self._chunks[one] |= self._chunks[other]

    def groups(self, voices: Iterable[int]) -> list[list[int]]:
        """The given voices by person, in order of the first voice."""
        found: dict[int, list[int]] = {}
        for voice in voices:
            found.setdefault(self.of(voice), []).append(voice)
        return list(found.values())


def link_speakers(
    diarized: Iterable[tuple[Chunk, Diarization]],
    *,
    min_speakers: int | None = None,
    max_speakers: int | None = None,
) -> dict[int, tuple[Turn, ...]]:
    """Turns by channel, on the job's timeline and in order of start, with one label per person.

    Labels are S1, S2, … in order of first appearance; a person never spans channels. An overlap of
    chunks is cut in its middle, so nothing is said twice. `max_speakers` bounds every channel,
    `min_speakers` only a recording of one channel, as far as the chunks tell so many apart. The
    result does not depend on the order of chunks.
    """
    ordered = sorted(diarized, key=lambda pair: _place_in_job(pair[0]))
    channels = {
        channel: list(pairs) for channel, pairs in groupby(ordered, lambda pair: pair[0].channel)
    }
    at_least = (min_speakers or 1) if len(channels) == 1 else 1
    linked = {
        channel: _link_channel(pairs, at_least, max_speakers) for channel, pairs in channels.items()
    }
    starts = sorted(
        (turn.start_ms, channel, position, turn.speaker)
        for channel, turns in linked.items()
        for position, turn in enumerate(turns)
    )
    people = dict.fromkeys((channel, speaker) for _, channel, _, speaker in starts)
    labels = {person: f"S{number}" for number, person in enumerate(people, start=1)}
    return {
        channel: tuple(_turn(turn, labels[channel, turn.speaker]) for turn in turns)
        for channel, turns in linked.items()
    }


def _place_in_job(chunk: Chunk) -> tuple[int, int, int]:
    return chunk.channel, chunk.start_ms, chunk.index


def _link_channel(
    diarized: Sequence[tuple[Chunk, Diarization]], at_least: int, at_most: int | None
) -> list[Turn]:
    chunks = [chunk for chunk, _ in diarized]
    voices = [
        voice
        for position, (chunk, diarization) in enumerate(diarized)
        for voice in _voices(position, chunk, diarization)
    ]
    people = _identify(voices, list(_links(chunks, voices)), at_least, at_most)
    cores = _cores(chunks)
    turns: list[Turn] = []
    for group in people.groups(range(len(voices))):
        spans = [
            _turn(turn, str(group[0]), cores[voices[voice].chunk])
            for voice in group
            for turn in voices[voice].turns
        ]
        turns += _joined(sorted(filter(_lasts, spans), key=_order))
    return sorted(turns, key=_order)
