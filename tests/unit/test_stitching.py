"""Overlapping chunks become one sequence: nothing lost, nothing doubled."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.merge.stitching import ChunkWords, stitch
from voxmesh_schemas import HypothesisWord

Stream = list[tuple[str, int, int]]


def spoken(text: str, start_ms: int = 0, step_ms: int = 400, length_ms: int = 300) -> Stream:
    starts = range(start_ms, start_ms + step_ms * len(text.split()), step_ms)
    return [(word, s, s + length_ms) for word, s in zip(text.split(), starts, strict=True)]


def chunk(start_ms: int, end_ms: int, stream: Stream) -> ChunkWords:
    """A chunk whose engine heard these words, given on the job's timeline."""
    words = [
        HypothesisWord(text=w, start_ms=max(0, s - start_ms), end_ms=max(0, e - start_ms))
        for w, s, e in stream
    ]
    return ChunkWords(start_ms, end_ms, words)


def cut(
    stream: Stream,
    length_ms: int,
    overlap_ms: int,
    rng: np.random.Generator,
    drift_ms: int,
    jitter_ms: int,
) -> list[ChunkWords]:
    """The stream as an engine hears it chunk by chunk: whole words, times off by some amount."""
    chunks, start = [], 0
    while True:
        end = start + length_ms
        late = int(rng.integers(-drift_ms, drift_ms + 1))
        heard = [word for word in stream if start <= (word[1] + word[2]) / 2 < end]
        moved = sorted(
            max(start, s + late + int(rng.integers(-jitter_ms, jitter_ms + 1))) for _, s, _ in heard
        )
        words = [(w, m, m + e - s) for (w, s, e), m in zip(heard, moved, strict=True)]
        chunks.append(chunk(start, end, words))
        if end > stream[-1][2]:
            return chunks
        start = end - overlap_ms


def texts(words: Sequence[HypothesisWord]) -> str:
    return " ".join(word.text for word in words)


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """Speech with pauses, over small and large vocabularies, so that words repeat."""
    vocabulary = draw(st.sampled_from([3, 40, 2000]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    time, stream = 0, []
    for _ in range(draw(st.integers(1, 150))):
        length = int(rng.integers(80, 500))
        stream.append((f"w{rng.integers(vocabulary)}", time, time + length))
        time += length + int(rng.choice([0, 0, 60, 300, 2500]))
    return stream


@given(streams(), st.integers(0, 2**32 - 1))
def test_a_stream_cut_into_overlapping_chunks_comes_back_exactly(stream: Stream, seed: int) -> None:
    chunks = cut(stream, 15_000, 4_000, np.random.default_rng(seed), drift_ms=0, jitter_ms=0)
    assert [(w.text, w.start_ms, w.end_ms) for w in stitch(chunks)] == stream


@pytest.mark.parametrize(("drift_ms", "jitter_ms"), [(500, 0), (0, 500), (250, 250)])
@settings(max_examples=60)
@given(stream=streams(), seed=st.integers(0, 2**32 - 1))
def test_words_come_back_in_order_when_times_are_off_by_half_a_second(
    stream: Stream, seed: int, drift_ms: int, jitter_ms: int
) -> None:
    chunks = cut(stream, 15_000, 4_000, np.random.default_rng(seed), drift_ms, jitter_ms)
    assert texts(stitch(chunks)) == " ".join(word for word, _, _ in stream)


@given(streams(), st.integers(0, 2**32 - 1))
def test_starts_never_fall_and_words_do_not_overlap(stream: Stream, seed: int) -> None:
    stitched = stitch(cut(stream, 15_000, 4_000, np.random.default_rng(seed), 500, 500))
    for one, other in pairwise(stitched):
        assert one.start_ms <= one.end_ms <= other.start_ms


@settings(max_examples=60)
@given(streams(), st.integers(0, 2**32 - 1))
def test_with_recognition_errors_nothing_is_invented_and_hardly_anything_lost(
    stream: Stream, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    chunks = [
        ChunkWords(
            c.start_ms,
            c.end_ms,
            [
                word if rng.random() > 0.1 else word.model_copy(update={"text": f"x{rng.random()}"})
                for word in c.words
            ],
        )
        for c in cut(stream, 15_000, 4_000, rng, 0, 0)
    ]
    heard = {word.text for c in chunks for word in c.words}
    stitched = stitch(chunks)
    assert {word.text for word in stitched} <= heard
    assert abs(len(stitched) - len(stream)) <= len(chunks) - 1


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (spoken("no no no", 8_600), spoken("no no no", 8_600), "no no no"),
        (spoken("no no no", 8_600), spoken("no no no", 9_000), "no no no"),
        (spoken("we met at the sch", 8_000), spoken("we met at the school", 8_000), None),
        (spoken("a b c d e", 8_000), spoken("b c d e f", 8_400), "a b c d e f"),
        (spoken("yes", 2_000), spoken("well", 11_000), "yes well"),
        ([], spoken("only later", 8_500), "only later"),
        (spoken("only earlier", 8_500), [], "only earlier"),
        (spoken("up on the page", 8_200), spoken("upon the page", 8_400), None),
    ],
    ids=[
        "repeated phrase",
        "repeated phrase, late in one chunk",
        "word cut off at the edge",
        "each side has one more",
        "silence in the overlap",
        "earlier chunk heard nothing",
        "later chunk heard nothing",
        "heard differently",
    ],
)
def test_the_overlap_of_two_chunks_is_told_once(
    before: Stream, after: Stream, expected: str | None
) -> None:
    stitched = texts(stitch([chunk(0, 10_000, before), chunk(8_000, 18_000, after)]))
    if expected is None:
        assert stitched in {texts_of(before), texts_of(after)}
    else:
        assert stitched == expected


def texts_of(stream: Stream) -> str:
    return " ".join(word for word, _, _ in stream)


def test_half_a_word_at_a_chunks_start_gives_way_to_the_whole_one() -> None:
    before = spoken("long before the chapel bell rang again", 6_000)
    after = [("pel", 8_000, 8_020), *spoken("bell rang again and stopped", 8_100)]
    before[3:] = [("chapel", 7_600, 8_020), *spoken("bell rang again", 8_100)]
    stitched = stitch([chunk(0, 10_000, before), chunk(8_000, 18_000, after)])
    assert texts(stitched) == "long before the chapel bell rang again and stopped"


def test_a_lost_chunk_costs_only_what_nobody_else_heard() -> None:
    stream = spoken(" ".join(f"w{number}" for number in range(100)))
    first, lost, last = (
        chunk(s, e, [w for w in stream if s <= w[1] < e])
        for s, e in [(0, 16_000), (12_000, 28_000), (24_000, 40_000)]
    )
    whole = texts(stitch([first, lost, last]))
    assert whole == texts_of(stream)
    assert texts(stitch([first, last])) == texts_of(
        [w for w in stream if not 16_000 <= w[1] < 24_000]
    )


def test_chunks_without_overlap_follow_one_another() -> None:
    chunks = [chunk(0, 1_000, spoken("a b")), chunk(1_000, 2_000, spoken("b c", 1_000))]
    assert texts(stitch(chunks)) == "a b b c"


def test_confidence_and_language_travel_with_the_word() -> None:
    word = HypothesisWord(text="ja", start_ms=100, end_ms=300, confidence=0.5, language="de")
    stitched = stitch([ChunkWords(5_000, 9_000, [word])])
    assert stitched == [word.model_copy(update={"start_ms": 5_100, "end_ms": 5_300})]


def test_nothing_gives_nothing() -> None:
    assert stitch([]) == []
    assert stitch([ChunkWords(0, 1_000, []), ChunkWords(500, 2_000, [])]) == []
