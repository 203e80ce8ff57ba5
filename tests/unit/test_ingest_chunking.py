from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.chunking import LONG, MEDIUM, SHORT, Cut, Layout, cut, layout_for

SMALL = Layout(chunk_ms=3_000, overlap_ms=900, search_ms=600, tail_ms=400)
PER_MS = 16

Pcm = npt.NDArray[np.int16]


def noise(samples: int, *, channels: int = 1, seed: int = 0) -> Pcm:
    rng = np.random.default_rng(seed)
    return rng.integers(-3000, 3000, (channels, samples), dtype=np.int16)


def chunks(pcm: Pcm, layout: Layout = SMALL, *, block: int = 16_000) -> list[Cut]:
    blocks = (pcm[:, at : at + block] for at in range(0, pcm.shape[1], block))
    return list(cut(blocks, layout, channels=pcm.shape[0]))


def told(pieces: list[Cut]) -> list[tuple[Any, ...]]:
    return [
        (p.index, p.channel, p.start_ms, p.end_ms, p.overlap_ms, p.samples.tobytes())
        for p in pieces
    ]


@settings(deadline=None, max_examples=40)
@given(
    samples=st.integers(0, 200_000),
    channels=st.integers(1, 3),
    sizes=st.lists(st.integers(1, 90_000), min_size=1, max_size=12),
    seed=st.integers(0, 5),
)
def test_the_same_audio_gives_the_same_chunks_whatever_the_blocks(
    samples: int, channels: int, sizes: list[int], seed: int
) -> None:
    pcm = noise(samples, channels=channels, seed=seed)
    borders = np.cumsum(sizes)
    uneven = np.split(pcm, borders[borders < samples], axis=1)
    assert told(list(cut(uneven, SMALL, channels=channels))) == told(chunks(pcm))


@settings(deadline=None, max_examples=40)
@given(samples=st.integers(1, 300_000), channels=st.integers(1, 2), seed=st.integers(0, 5))
def test_chunks_without_their_overlaps_are_the_whole(
    samples: int, channels: int, seed: int
) -> None:
    pcm = noise(samples, channels=channels, seed=seed)
    pieces = chunks(pcm)
    assert [piece.index for piece in pieces] == list(range(len(pieces)))
    for channel in range(channels):
        own = [piece for piece in pieces if piece.channel == channel]
        whole = np.concatenate([piece.samples[piece.overlap_ms * PER_MS :] for piece in own])
        assert np.array_equal(whole[:samples], pcm[channel])
        assert not whole[samples:].any()
        assert whole.size - samples < PER_MS
        assert own[0].start_ms == own[0].overlap_ms == 0
        for before, after in pairwise(own):
            assert after.start_ms == before.end_ms - after.overlap_ms


@settings(deadline=None, max_examples=40)
@given(samples=st.integers(1, 300_000), seed=st.integers(0, 5))
def test_every_chunk_keeps_the_limits_of_its_layout(samples: int, seed: int) -> None:
    pieces = chunks(noise(samples, seed=seed))
    for piece in pieces:
        assert piece.end_ms - piece.start_ms == piece.samples.size // PER_MS
        assert piece.overlap_ms <= SMALL.overlap_ms
    for piece in pieces[:-1]:
        assert SMALL.chunk_ms - SMALL.search_ms <= piece.end_ms - piece.start_ms <= SMALL.chunk_ms
    for piece in pieces[1:]:
        assert piece.overlap_ms >= SMALL.overlap_ms - SMALL.search_ms
    assert pieces[-1].end_ms - pieces[-1].start_ms <= SMALL.chunk_ms + SMALL.tail_ms


def test_both_ends_of_an_overlap_stand_in_pauses() -> None:
    pcm = noise(6_000 * PER_MS)
    pcm[:, 1_850 * PER_MS : 2_200 * PER_MS] = 0
    pcm[:, 2_500 * PER_MS : 2_900 * PER_MS] = 0
    first, second, *_ = chunks(pcm)
    assert 2_500 < first.end_ms < 2_900
    assert 1_850 < second.start_ms < 2_200


def test_equally_quiet_audio_is_cut_as_late_and_shared_as_much_as_allowed() -> None:
    first, second, *_ = chunks(np.zeros((1, 6_000 * PER_MS), dtype=np.int16))
    assert (first.end_ms, second.overlap_ms) == (2_850, 750)


def test_channels_are_cut_each_in_its_own_pauses() -> None:
    pcm = noise(6_000 * PER_MS, channels=2)
    pcm[0, 2_450 * PER_MS : 2_800 * PER_MS] = 0
    pcm[1, 2_600 * PER_MS : 2_950 * PER_MS] = 0
    ends = {piece.channel: piece.end_ms for piece in chunks(pcm)[:2]}
    assert 2_450 < ends[0] < 2_800
    assert 2_600 < ends[1] < 2_950
    assert ends[0] != ends[1]


def test_a_short_rest_stays_with_the_last_chunk() -> None:
    limit_ms = SMALL.chunk_ms + SMALL.tail_ms
    assert len(chunks(noise(limit_ms * PER_MS))) == 1
    assert len(chunks(noise(limit_ms * PER_MS + 1))) == 2


def test_no_audio_gives_no_chunks() -> None:
    assert chunks(noise(0)) == []
    assert list(cut([], SMALL, channels=2)) == []


def test_a_chunk_is_given_as_soon_as_it_is_complete() -> None:
    taken = 0

    def blocks() -> Any:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield noise(1_000 * PER_MS)

    next(cut(blocks(), SMALL, channels=1))
    assert taken == 4  # seconds: a chunk is at most three, and its rest must be known


@pytest.mark.parametrize(
    ("duration_ms", "layout"),
    [
        (None, MEDIUM),
        (0, SHORT),
        (600_000, SHORT),
        (600_001, MEDIUM),
        (3_600_000, MEDIUM),
        (3_600_001, LONG),
    ],
)
def test_the_layout_goes_by_length(duration_ms: int | None, layout: Layout) -> None:
    assert layout_for(duration_ms) == layout


@pytest.mark.parametrize("layout", [SHORT, MEDIUM, LONG, SMALL])
def test_layouts_leave_room_to_search(layout: Layout) -> None:
    assert layout.search_ms >= 300
    assert layout.search_ms % 10 == 0
    assert layout.search_ms < layout.overlap_ms < layout.chunk_ms - layout.search_ms


def test_a_short_chunk_fits_one_window_of_whisper() -> None:
    assert SHORT.chunk_ms + SHORT.tail_ms <= 30_000
