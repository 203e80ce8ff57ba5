"""One label per person over the whole recording."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.merge.linking import link_speakers
from voxmesh_schemas import ArtifactRef, Chunk, Diarization, Turn

ARTIFACT = ArtifactRef(uri="a", sha256="0" * 64, size=1, media_type="audio/wav")
Spoken = tuple[int, int, str]
"""Start, end, person, on the job's timeline."""
Recording = tuple[list[Spoken], list[tuple[Chunk, Diarization]]]


def embedding(person: str, noise: float = 0.0, seed: int = 0) -> tuple[float, ...]:
    """Voices of different people are at right angles but for the noise."""
    voice = np.eye(26)[ord(person.lower()) - ord("a")]
    voice = voice + noise * np.random.default_rng(seed).normal(size=26) / np.sqrt(26)
    return tuple((voice / np.linalg.norm(voice)).tolist())


def diarized(
    index: int,
    start_ms: int,
    end_ms: int,
    spoken: Sequence[Spoken],
    *,
    embeddings: bool = True,
    engine: str = "engine",
    channel: int = 0,
) -> tuple[Chunk, Diarization]:
    """What a faultless diarizer says of a stretch; people are named by their order in it."""
    heard = [
        (max(start, start_ms), min(end, end_ms), person)
        for start, end, person in spoken
        if start < end_ms and end > start_ms
    ]
    names = {p: f"spk{n}" for n, p in enumerate(dict.fromkeys(p for _, _, p in heard))}
    return (
        Chunk(start_ms=start_ms, end_ms=end_ms, index=index, channel=channel, artifact=ARTIFACT),
        Diarization(
            engine=engine,
            model="1",
            turns=tuple(
                Turn(start_ms=s - start_ms, end_ms=e - start_ms, speaker=names[p])
                for s, e, p in heard
            ),
            embeddings={name: embedding(p, 0.5, index) for p, name in names.items()}
            if embeddings
            else {},
        ),
    )


def spans(turns: Sequence[Turn]) -> list[Spoken]:
    return [(turn.start_ms, turn.end_ms, turn.speaker) for turn in turns]


CONVERSATION = [
    (1000, 8000, "b"), (9000, 11_500, "a"), (12_000, 17_000, "b"), (18_000, 29_000, "a"),
]  # fmt: skip
LABELLED = [(s, e, {"b": "S1", "a": "S2"}[p]) for s, e, p in CONVERSATION]


@pytest.mark.parametrize("embeddings", [True, False])
def test_people_keep_their_label_and_overlaps_are_said_once(embeddings: bool) -> None:
    chunks = [
        diarized(0, 0, 14_000, CONVERSATION, embeddings=embeddings),
        diarized(1, 9000, 20_000, CONVERSATION, embeddings=embeddings),
        diarized(2, 15_000, 30_000, CONVERSATION, embeddings=embeddings),
    ]
    assert spans(link_speakers(chunks)[0]) == LABELLED


def test_a_voice_is_known_again_after_chunks_that_do_not_overlap() -> None:
    chunks = [diarized(n, 10_000 * n, 10_000 * n + 10_000, CONVERSATION) for n in range(3)]
    assert spans(link_speakers(chunks)[0]) == LABELLED


def test_without_embeddings_or_overlap_nobody_is_known_again() -> None:
    chunks = [
        diarized(n, 10_000 * n, 10_000 * n + 10_000, CONVERSATION[:1] + CONVERSATION[3:],
                 embeddings=False)
        for n in range(3)
    ]  # fmt: skip
    assert [turn.speaker for turn in link_speakers(chunks)[0]] == ["S1", "S2", "S3"]
    bounded = link_speakers(chunks, max_speakers=2)[0]
    assert {turn.speaker for turn in bounded} == {"S1", "S2"}


def test_embeddings_of_different_engines_are_not_compared() -> None:
    spoken = [(0, 10_000, "a"), (10_000, 20_000, "b")]
    apart = [
        diarized(0, 0, 10_000, spoken, engine="x"),
        diarized(1, 10_000, 20_000, [(10_000, 20_000, "a")], engine="y"),
    ]
    assert [turn.speaker for turn in link_speakers(apart)[0]] == ["S1", "S2"]
    overlapping = [
        diarized(0, 0, 12_000, spoken, engine="x"),
        diarized(1, 8000, 20_000, spoken, engine="y"),
    ]
    assert spans(link_speakers(overlapping)[0]) == [(0, 10_000, "S1"), (10_000, 20_000, "S2")]


def test_voices_that_clearly_differ_are_not_linked_by_a_false_overlap() -> None:
    chunk, said = diarized(1, 9000, 30_000, [(9000, 29_000, "c")])
    chunks = [diarized(0, 0, 12_000, [(0, 12_000, "a")]), (chunk, said)]
    assert [turn.speaker for turn in link_speakers(chunks)[0]] == ["S1", "S2"]


def test_channels_share_no_speakers_and_labels_follow_first_appearance() -> None:
    left, right = [(4000, 9000, "a")], [(1000, 3000, "a"), (5000, 9000, "a")]
    linked = link_speakers(
        [diarized(0, 0, 10_000, left, channel=0), diarized(1, 0, 10_000, right, channel=1)]
    )
    assert spans(linked[0]) == [(4000, 9000, "S2")]
    assert spans(linked[1]) == [(1000, 3000, "S1"), (5000, 9000, "S1")]


@pytest.mark.parametrize(("fewest", "most", "people"), [(None, 1, 1), (None, 2, 2), (4, None, 4)])
def test_the_number_of_speakers_can_be_bounded(
    fewest: int | None, most: int | None, people: int
) -> None:
    spoken = [(10_000 * n, 10_000 * n + 9000, "abcabc"[n]) for n in range(6)]
    chunks = [diarized(n, 10_000 * n, 10_000 * n + 10_000, spoken) for n in range(6)]
    turns = link_speakers(chunks, min_speakers=fewest, max_speakers=most)[0]
    assert len({turn.speaker for turn in turns}) == people


def test_the_bound_holds_even_where_one_chunk_tells_more_voices_apart() -> None:
    spoken = [(3000 * n, 3000 * n + 2500, "abcd"[n]) for n in range(4)]
    turns = link_speakers([diarized(0, 0, 12_000, spoken)], max_speakers=2)[0]
    assert len({turn.speaker for turn in turns}) == 2


def test_useless_embeddings_are_as_good_as_none() -> None:
    chunk, said = diarized(0, 0, 10_000, CONVERSATION)
    broken = said.model_copy(update={"embeddings": dict.fromkeys(said.embeddings, (0.0, 0.0))})
    assert len({turn.speaker for turn in link_speakers([(chunk, broken)])[0]}) == 2


def test_silence_has_no_turns() -> None:
    assert link_speakers([]) == {}
    assert link_speakers([diarized(0, 0, 10_000, [])]) == {0: ()}


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """Turns of up to five people, and chunks of any length that overlap or only touch."""
    people = draw(st.integers(1, 5))
    time, spoken = 0, []
    for pause, length, person in draw(
        st.lists(
            st.tuples(st.integers(200, 1500), st.integers(2500, 9000), st.integers(0, people - 1)),
            min_size=1,
            max_size=40,
        )
    ):
        spoken.append((time + pause, time + pause + length, "abcde"[person]))
        time += pause + length
    overlap = draw(st.sampled_from([0, 3000, 8000]))
    length = draw(st.integers(20_000, 90_000))
    starts = range(0, time, length - overlap)
    chunks = [diarized(n, s, min(s + length, time), spoken) for n, s in enumerate(starts)]
    return spoken, chunks


@settings(max_examples=60)
@given(recordings(), st.randoms(use_true_random=False))
def test_people_come_back_with_one_label_in_any_chunking_and_any_order(
    recording: Recording, random: Random
) -> None:
    spoken, chunks = recording
    turns = link_speakers(chunks)[0]
    for start, end, person in spoken:
        middle = (start + end) // 2
        assert [t.speaker for t in turns if t.start_ms <= middle < t.end_ms] == [
            label_of(person, spoken, turns)
        ]
    labels = list(dict.fromkeys(turn.speaker for turn in turns))
    assert labels == [f"S{n + 1}" for n in range(len({p for _, _, p in spoken}))]
    random.shuffle(chunks)
    assert link_speakers(chunks)[0] == turns


def label_of(person: str, spoken: Sequence[Spoken], turns: Sequence[Turn]) -> str:
    start, end = next((s, e) for s, e, p in spoken if p == person)
    return next(t.speaker for t in turns if t.start_ms <= (start + end) // 2 < t.end_ms)


@settings(max_examples=60)
@given(recordings())
def test_turns_of_one_speaker_never_touch_and_all_are_in_order(recording: Recording) -> None:
    _, chunks = recording
    turns = link_speakers(chunks)[0]
    assert [t.start_ms for t in turns] == sorted(t.start_ms for t in turns)
    for speaker in {turn.speaker for turn in turns}:
        own = [turn for turn in turns if turn.speaker == speaker]
        for before, after in pairwise(own):
            assert before.end_ms < after.start_ms
