"""Words that came without times get some: in order, over sound only, near where they were said."""

from __future__ import annotations

import json
from itertools import pairwise
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.runtime.audio import SAMPLE_RATE_HZ, Samples
from services.transcribe.alignment import Span, aligned, sounding, with_times_of
from services.transcribe.speech import Stretch, stretches_of_speech
from services.transcribe.written import spoken_length, words_of
from tests.contract.transcriber_suite import SAMPLE, spoken

WORDS = st.text(alphabet="abc1250%$.,!'-ßжあ中", min_size=1, max_size=12)


def babble(*runs_ms: tuple[int, int], lasting_ms: int) -> Samples:
    """Noise as loud as speech in these runs, and a little everywhere."""
    samples = np.random.default_rng(0).normal(0, 0.001, lasting_ms * SAMPLE_RATE_HZ // 1000)
    for start, end in runs_ms:
        samples[start * 16 : end * 16] *= 100
    return samples.astype(np.float32)


def everywhere(samples: Samples) -> list[Stretch]:
    return [(0, len(samples))]


@st.composite
def runs(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Runs of sound with pauses of at least 300 ms between them."""
    found, at = [], 0
    for pause, length in draw(
        st.lists(st.tuples(st.integers(30, 200), st.integers(10, 200)), min_size=1, max_size=8)
    ):
        found.append(((at + pause) * 10, (at + pause + length) * 10))
        at += pause + length
    return found


@settings(max_examples=60)
@given(runs(), st.lists(WORDS, min_size=1, max_size=30))
def test_every_word_gets_a_time_in_order_and_never_over_a_pause(
    loud: list[tuple[int, int]], texts: list[str]
) -> None:
    samples = babble(*loud, lasting_ms=loud[-1][1] + 500)
    spans = aligned(texts, samples, everywhere(samples))
    assert len(spans) == len(texts)
    assert all(start < end for start, end in spans)
    assert all(one[1] <= other[0] + 1e-6 for one, other in pairwise(spans))
    for start, end in spans:
        assert any(a - 20 <= start and end <= b + 20 for a, b in loud), (start, end)


@pytest.mark.parametrize("texts", [["1,984"], ["%"], ["—"], ["5", "+", "5", "=", "10"], ["…", "a"]])
def test_numbers_and_signs_get_times_too(texts: list[str]) -> None:
    samples = babble((500, 1_500), lasting_ms=2_000)
    spans = aligned(texts, samples, everywhere(samples))
    assert len(spans) == len(texts)
    assert all(end - start >= 10 for start, end in spans)


def test_a_sentence_ends_before_the_pause_after_it() -> None:
    samples = babble((500, 1_400), (2_000, 3_600), lasting_ms=4_000)
    for texts, first in (
        (["Stop", "here.", "Now", "we", "go", "on."], 2),
        (["Stop.", "Here", "now", "we", "go", "on."], 1),
    ):
        spans = aligned(texts, samples, everywhere(samples))
        assert spans[first - 1][1] == pytest.approx(1_400, abs=20)
        assert spans[first][0] == pytest.approx(2_000, abs=20)


def test_words_keep_to_their_run_over_many_minutes() -> None:
    """What is said in the last minute is not moved by how fast the first was spoken."""
    sentence = ["Every", "sentence", "has", "an", "ending."]
    loud, at, slow = [], 500, 1.0
    for number in range(120):
        slow = 1.3 if number < 60 else 0.8
        loud.append((at, at + round(2_000 * slow)))
        at += round(2_000 * slow) + 600
    samples = babble(*loud, lasting_ms=at)
    spans = aligned(sentence * 120, samples, everywhere(samples))
    for number, (start, _) in enumerate(loud):
        assert spans[5 * number][0] == pytest.approx(start, abs=25)


def test_long_words_take_longer() -> None:
    samples = babble((0, 3_000), lasting_ms=3_000)
    (a, b), (c, d) = aligned(["a", "constitution"], samples, everywhere(samples))
    assert (d - c) > 3 * (b - a)


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [("a", "the"), ("9", "99"), ("10", "10%"), ("word", "word!?s"), ("三", "三十"), ("ü", "über")],
)
def test_what_is_read_out_counts(shorter: str, longer: str) -> None:
    assert spoken_length(shorter) < spoken_length(longer)


def test_where_nobody_speaks_there_are_no_times() -> None:
    assert aligned(["Thanks", "for", "watching!"], np.zeros(16_000, dtype=np.float32), []) == []
    assert aligned([], babble((0, 500), lasting_ms=500), [(0, 8_000)]) == []


def test_even_sound_is_one_run() -> None:
    samples = babble((0, 1_000), lasting_ms=1_000)
    assert sounding(samples, everywhere(samples)) == [(0.0, 1_000.0)]
    silence = np.zeros(16_000, dtype=np.float32)
    assert sounding(silence, [(1_600, 8_000)]) == [(100.0, 500.0)]


def test_words_of_the_sample_are_found_near_where_they_were_spoken() -> None:
    reference = [
        word
        for word in json.loads(SAMPLE.with_suffix(".json").read_text())["words"]
        if word["end_ms"] < 14_700
    ]
    samples = spoken(0, 14_700)
    spans = aligned([w["text"] for w in reference], samples, stretches_of_speech(samples))
    errors = [abs(span[0] - w["start_ms"]) for span, w in zip(spans, reference, strict=True)]
    assert median(errors) < 250


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ask not, my friend.", ["Ask", "not,", "my", "friend."]),
        ("  ", []),
        ("東京へ、2年", ["東", "京", "へ、", "2", "年"]),
        ("「ポスト」です。", ["「ポ", "ス", "ト」", "で", "す。"]),
        ("ที่นี่ ok", ["ที่", "นี่", "ok"]),
        ("well-known 50%", ["well-known", "50%"]),
        ("한국어 문장", ["한국어", "문장"]),
    ],
)
def test_text_is_split_into_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("texts", "heard", "spans"),
    [
        (["Ask,", "Not!"], [("ask", (0, 1)), ("not", (2, 3))], [(0, 1), (2, 3)]),
        (
            ["Ask", "well-known", "us"],
            [("ask", (0, 1)), ("well", (2, 4)), ("known", (4, 6)), ("us", (7, 8))],
            [(0, 1), (2, 6), (7, 8)],
        ),
        (["a", "—", "b"], [("a", (0, 1)), ("b", (2, 3))], [(0, 1), (1, 1), (2, 3)]),
        (["—", "b"], [("b", (2, 3))], [(2, 2), (2, 3)]),
        (["a"], [("a", (0, 1)), ("b", (2, 3))], [(0, 1)]),
        ([], [("a", (0, 1))], []),
    ],
    ids=["punctuation", "two for one", "an extra sign", "a sign first", "one too many", "no text"],
)
def test_punctuated_words_take_the_times_of_bare_ones(
    texts: list[str], heard: list[tuple[str, Span]], spans: list[Span]
) -> None:
    assert with_times_of(texts, heard) == spans
