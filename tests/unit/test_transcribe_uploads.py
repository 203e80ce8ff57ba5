"""A chunk is sent whole where it fits, else in pieces that are cut in its pauses."""

from __future__ import annotations

import io
from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcribe.speech import Stretch
from services.transcribe.uploads import Limits, encode_flac, pieces, uploads
from tests.contract.transcriber_suite import noise, silence, spoken

SECOND = 16_000
ANY = Limits(longest_s=3_600, most_bytes=10**9)


def decoded(flac: bytes) -> list[int]:
    with av.open(io.BytesIO(flac), "r") as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return [int(sample) for frame in frames for sample in frame]


@pytest.mark.parametrize("count", [1, 15_999, 16_000, 50_001])
def test_flac_keeps_every_sample(count: int) -> None:
    samples = noise(4_000, 0.2)[:count]
    wanted = np.clip(np.rint(samples * 32768), -32768, 32767).astype(int).tolist()
    assert decoded(encode_flac(samples)) == wanted


def test_flac_of_the_same_samples_is_the_same_and_smaller() -> None:
    samples = spoken(0, 10_000)
    assert encode_flac(samples) == encode_flac(samples)
    assert len(encode_flac(samples)) < len(samples) * 2 * 0.6


def test_a_chunk_that_fits_is_sent_whole() -> None:
    samples = spoken(0, 4_000)
    (upload,) = uploads(samples, [(8_000, 56_000)], ANY)
    assert (upload.start_ms, upload.speech) == (0, ((8_000, 56_000),))
    assert len(upload.samples) == len(samples)


@pytest.mark.parametrize(
    "limits",
    [Limits(longest_s=4.5, most_bytes=10**9), Limits(longest_s=3_600, most_bytes=100_000)],
    ids=["too long", "too large"],
)
def test_a_chunk_that_does_not_fit_is_sent_in_pieces(limits: Limits) -> None:
    part = spoken(400, 3_400)
    samples = np.concatenate([part, silence(2_000), part, silence(2_000), part])
    speech = [(start * SECOND, (start + 3) * SECOND) for start in (0, 5, 10)]
    sent = list(uploads(samples, speech, limits))
    assert [upload.start_ms for upload in sent] == [0, 4_500, 9_500]
    for upload in sent:
        assert len(upload.samples) <= limits.longest_s * SECOND
        assert len(upload.flac) <= limits.most_bytes
        assert len(upload.speech) == 1


@st.composite
def _speech(draw: st.DrawFn) -> list[Stretch]:
    found, at = [], 0
    for gap, length in draw(
        st.lists(st.tuples(st.integers(0, 90_000), st.integers(1, 30 * SECOND)), min_size=1)
    ):
        found.append((at + gap, at + gap + length))
        at += gap + length
    return found


@given(_speech(), st.integers(0, 50_000), st.integers(32 * SECOND, 120 * SECOND))
def test_pieces_hold_all_speech_once_and_keep_the_limit(
    speech: list[Stretch], rest: int, longest: int
) -> None:
    count = speech[-1][1] + rest
    found = pieces(speech, count, longest)
    assert all(0 <= start < end <= count for start, end in found)
    assert all(one[1] <= other[0] for one, other in pairwise(found))
    assert all(end - start <= longest for start, end in found)
    for first, last in speech:
        assert sum(start <= first and last <= end for start, end in found) == 1
