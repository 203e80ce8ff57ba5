"""One label per person over the whole recording.

Each chunk was diarized by itself, so its speakers are local. What tells who is who across chunks:

- two local speakers of one chunk are different people;
- where chunks overlap, two local speakers who speak at the same times are the same person, unless
  their embeddings clearly deny it;
- embeddings, compared only within the space of one engine and model. How alike two of one person
  are differs by engine, so the threshold is learnt from this recording: from the pairs that the
  first two rules know to be different and the same (`clustering.calibrate`).

Where embeddings cannot be compared, the overlaps decide alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, groupby

import numpy as np

from services.merge.clustering import Floats, Groups, Likeness, calibrate, tell_apart
from services.merge.voices import (
    Diarized,
    Link,
    People,
    Space,
    Voice,
    clipped,
    cores,
    joined,
    local_voices,
    overlap_links,
)
from voxmesh_schemas import ChunkSpan, Diarization, Turn


def link_speakers(
    diarized: Iterable[tuple[ChunkSpan, Diarization]],
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
    ordered = sorted(diarized, key=lambda pair: _position(pair[0]))
    channels = {
        channel: list(pairs) for channel, pairs in groupby(ordered, lambda pair: pair[0].channel)
    }
    at_least = (min_speakers or 1) if len(channels) == 1 else 1
    linked = {
        channel: _link_channel(pairs, at_least, max_speakers) for channel, pairs in channels.items()
    }
    appearances = sorted(
        (turn.start_ms, channel, position, turn.speaker)
        for channel, turns in linked.items()
        for position, turn in enumerate(turns)
    )
    people = dict.fromkeys((channel, speaker) for _, channel, _, speaker in appearances)
    labels = {person: f"S{number}" for number, person in enumerate(people, start=1)}
    return {
        channel: tuple(
            turn.model_copy(update={"speaker": labels[channel, turn.speaker]}) for turn in turns
        )
        for channel, turns in linked.items()
    }


def _position(chunk: ChunkSpan) -> tuple[int, int, int]:
    return chunk.channel, chunk.start_ms, chunk.index


def _link_channel(diarized: Diarized, at_least: int, at_most: int | None) -> list[Turn]:
    """Turns of one channel, each person named after one of their voices."""
    voices = local_voices(diarized)
    links = list(overlap_links(diarized, voices))
    people = People(voices)
    for space in dict.fromkeys(voice.space for voice in voices if voice.space):
        _join_by_embedding(people, space, links, at_least, at_most)
    _join_by_overlap(people, links)
    if at_most:
        _keep_at_most(people, at_most)
    spoken = cores(diarized)
    turns = [
        turn.model_copy(update={"speaker": str(group[0])})
        for group in people.groups(range(len(voices)))
        for turn in joined(
            turn
            for voice in group
            for turn in clipped(voices[voice].turns, *spoken[voices[voice].chunk])
        )
    ]
    return sorted(turns, key=lambda turn: (turn.start_ms, turn.end_ms, int(turn.speaker)))


def _join_by_embedding(
    people: People, space: Space, links: Sequence[Link], at_least: int, at_most: int | None
) -> None:
    voices = people.voices
    members = [number for number, voice in enumerate(voices) if voice.space == space]
    linked = [link for link in links if voices[link.one].space == voices[link.other].space == space]
    likeness = _likeness(voices, members, linked)
    for link in linked:
        one, other = voices[link.one], voices[link.other]
        needed = likeness.needed(min(one.speech_ms, other.speech_ms))
        if _cosine(one, other) >= needed and people.can_be_one(link.one, link.other):
            people.join(link.one, link.other)
    threads = people.groups(members)
    labels = tell_apart(_stacked(voices, threads), likeness, at_least=at_least, at_most=at_most)
    homes: dict[int, int] = {}
    for thread, label in zip(threads, labels.tolist(), strict=True):
        people.join(homes.setdefault(label, thread[0]), thread[0])


def _likeness(voices: Sequence[Voice], members: Sequence[int], links: Sequence[Link]) -> Likeness:
    reliable = [number for number in members if voices[number].reliable]
    different = [
        _cosine(voices[one], voices[other])
        for _, chunk in groupby(reliable, lambda number: voices[number].chunk)
        for one, other in combinations(chunk, 2)
    ]
    same = [
        _cosine(voices[link.one], voices[link.other])
        for link in links
        if voices[link.one].reliable and voices[link.other].reliable
    ]
    return calibrate(np.array(different), np.array(same))


def _cosine(one: Voice, other: Voice) -> float:
    return float(one.embedding @ other.embedding)


def _stacked(voices: Sequence[Voice], groups: Sequence[Sequence[int]]) -> Groups:
    """One row per group."""
    members = [number for group in groups for number in group]
    heard = np.array([voices[number].chunk for number in members])
    each = Groups(
        means=np.stack([voices[number].embedding for number in members]),
        weights=np.array([max(voices[number].speech_ms, 1) for number in members], dtype=float),
        chunks=heard[:, None] == np.unique(heard),
    )
    return each.grouped(np.repeat(np.arange(len(groups)), [len(group) for group in groups]))


def _join_by_overlap(people: People, links: Sequence[Link]) -> None:
    """Join people whose embeddings cannot be compared, those with the most speech in common first.

    Where they can be compared, the embeddings have decided already.
    """
    voices = people.voices
    shared: dict[tuple[int, int], int] = {}
    for link in links:
        spaces = voices[link.one].space, voices[link.other].space
        pair = people.of(link.one), people.of(link.other)
        if pair[0] != pair[1] and (spaces[0] != spaces[1] or spaces[0] is None):
            shared[pair] = shared.get(pair, 0) + link.shared_ms
    for one, other in sorted(shared, key=lambda pair: (-shared[pair], pair)):
        if people.can_be_one(one, other):
            people.join(one, other)


def _keep_at_most(people: People, at_most: int) -> None:
    """Give the voices of the people who speak least to the others: the most alike who may be them.

    Needed only where embeddings cannot be compared, or a chunk tells more voices apart than there
    may be.
    """
    voices = people.voices
    groups = people.groups(range(len(voices)))
    groups.sort(key=lambda group: -sum(voices[voice].speech_ms for voice in group))
    homes = [(home[0], _centres(voices, home)) for home in groups[:at_most]]
    for group in groups[at_most:]:
        centres = _centres(voices, group)
        closest, _ = max(
            homes,
            key=lambda home: (
                people.can_be_one(home[0], group[0]),
                max(
                    (float(home[1][space] @ centres[space]) for space in home[1].keys() & centres),
                    default=-1.0,
                ),
            ),
        )
        people.join(closest, group[0])


def _centres(voices: Sequence[Voice], group: Iterable[int]) -> dict[Space, Floats]:
    """The mean embedding of a person in each space."""
    found: dict[Space, list[Floats]] = {}
    for number in group:
        space = voices[number].space
        if space:
            found.setdefault(space, []).append(voices[number].embedding)
    return {space: np.mean(embeddings, axis=0) for space, embeddings in found.items()}
