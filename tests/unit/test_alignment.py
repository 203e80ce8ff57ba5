"""Aligning word sequences: short ones in batches, long ones by anchors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.merge.alignment import GAP, align, anchors, longest_rising
from services.merge.pairing import Line, pair
from services.merge.wording import Vocabulary, normal_form, profiles

WORDS = st.lists(st.integers(0, 4), max_size=9)


def cheapest(a: list[int], b: list[int]) -> int:
    """The edit distance in full, as the batch aligner counts it."""
    table = [[GAP * j for j in range(len(b) + 1)]]
    for i, left in enumerate(a, start=1):
        row = [GAP * i]
        for j, right in enumerate(b, start=1):
            row.append(
                min(
                    table[-1][j - 1] + 1000 * (left != right),
                    table[-1][j] + GAP,
                    row[-1] + GAP,
                )
            )
        table.append(row)
    return table[-1][-1]


def cost_of(partner: list[int], a: list[int], b: list[int]) -> int:
    paired = [(i, j) for i, j in enumerate(partner) if j >= 0]
    wrong = sum(a[i] != b[j] for i, j in paired)
    return 1000 * wrong + GAP * (len(a) + len(b) - 2 * len(paired))


def aligned(a: list[int], b: list[int]) -> list[int]:
    costs = np.array([[1000 * (left != right) for right in b] for left in a], dtype=np.int32)
    gaps = [np.full((1, len(side)), GAP, dtype=np.int32) for side in (a, b)]
    return align(costs.reshape(1, len(a), len(b)), *gaps)[0].tolist()


@given(WORDS, WORDS)
def test_no_alignment_is_cheaper_than_the_one_found(a: list[int], b: list[int]) -> None:
    partner = aligned(a, b)
    assert cost_of(partner, a, b) == cheapest(a, b)
    taken = [j for j in partner if j >= 0]
    assert taken == sorted(set(taken))


def test_a_batch_aligns_each_of_its_sequences_as_if_it_were_alone() -> None:
    pairs = [([0, 1, 2], [0, 2, 2]), ([1, 1, 0], [1, 0, 0])]
    costs = np.array([[[1000 * (x != y) for y in b] for x in a] for a, b in pairs], dtype=np.int32)
    gap = np.full((2, 3), GAP, dtype=np.int32)
    assert align(costs, gap, gap).tolist() == [aligned(a, b) for a, b in pairs]


@given(st.lists(st.integers(-20, 20), max_size=30))
def test_the_longest_rising_subsequence_rises_and_none_is_longer(values: list[int]) -> None:
    picked = np.array(values, dtype=np.int64)[longest_rising(np.array(values, dtype=np.int64))]
    assert (np.diff(picked) > 0).all()
    best = [1] * len(values)
    for i in range(len(values)):
        best[i] = 1 + max((best[j] for j in range(i) if values[j] < values[i]), default=0)
    assert len(picked) == max(best, default=0)


def test_anchors_are_runs_that_occur_once_on_both_sides() -> None:
    a = np.array([1, 2, 3, 9, 4, 5, 6, 4, 5, 6])
    b = np.array([7, 1, 2, 3, 4, 5, 6])
    in_a, in_b = anchors(a, b, 3)
    assert in_a.tolist() == [0]
    assert in_b.tolist() == [1]


def line(
    text: str, vocabulary: Vocabulary, start_ms: int | None = None, step_ms: int = 300
) -> Line:
    ids = np.array([vocabulary.number(word) for word in text.split()], dtype=np.int64)
    middle = np.full(len(ids), np.nan)
    if start_ms is not None:
        middle = start_ms + step_ms * np.arange(len(ids), dtype=np.float64)
    return Line(ids[None], np.zeros(len(ids), dtype=np.int64), middle)


def pairs_of(a: str, b: str) -> list[int]:
    vocabulary = Vocabulary()
    one, other = line(a, vocabulary), line(b, vocabulary)
    return pair(one, other, vocabulary.profiles()).tolist()


@pytest.mark.parametrize(
    ("a", "b", "partner"),
    [
        ("the dull light fell", "the dull light fell", [0, 1, 2, 3]),
        ("the dull light fell", "the light fell", [0, -1, 1, 2]),
        ("pale reigned here", "pale grey rained here", [0, 2, 3]),
        ("", "anything", []),
        ("anything", "", [-1]),
    ],
    ids=["same", "one missing", "alike sounds pair", "nothing to pair", "nothing to pair with"],
)
def test_words_pair_by_text(a: str, b: str, partner: list[int]) -> None:
    assert pairs_of(a, b) == partner


def test_of_repeated_words_those_at_the_same_time_pair() -> None:
    vocabulary = Vocabulary()
    heard = line("no no no", vocabulary, start_ms=0, step_ms=1500)
    late = line("no", vocabulary, start_ms=3000)
    assert pair(heard, late, vocabulary.profiles()).tolist() == [-1, -1, 0]


def test_a_steady_lag_of_an_engine_does_not_move_its_words() -> None:
    vocabulary = Vocabulary()
    rng = np.random.default_rng(1)
    text = " ".join(f"w{number}" for number in rng.integers(0, 40, 400))
    on_time = line(text, vocabulary, start_ms=0)
    lagging = line(text, vocabulary, start_ms=1200)
    assert pair(on_time, lagging, vocabulary.profiles()).tolist() == list(range(400))


def test_sequences_that_share_nothing_are_still_aligned_in_order() -> None:
    text_a = " ".join(f"a{number}" for number in range(900))
    text_b = " ".join(f"b{number}" for number in range(700))
    partner = np.array(pairs_of(text_a, text_b))
    taken = partner[partner >= 0]
    assert (np.diff(taken) > 0).all()
    assert len(taken) > 500


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_long_sequences_with_errors_pair_what_stayed_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = [f"word{number}" for number in rng.integers(0, 300, 600)]
    kept = rng.random(600) > 0.1
    partner = pairs_of(" ".join(words), " ".join(w for w, k in zip(words, kept, strict=True) if k))
    expected = np.where(kept, np.cumsum(kept) - 1, -1)
    assert (np.array(partner) == expected).mean() > 0.98


@pytest.mark.parametrize(
    ("one", "other"),
    [("Mr.", "mister"), ("OK,", "okay"), ("Two", "2"), ("It\u2019s", "its"), ("\ufb01ne", "Fine!")],
)
def test_words_that_differ_in_writing_only_are_the_same(one: str, other: str) -> None:
    assert normal_form(one) == normal_form(other)


def test_punctuation_alone_stays_a_word() -> None:
    assert normal_form("—") == "—"


def test_words_that_look_alike_have_near_profiles() -> None:
    reigned, rained, table = profiles(["reigned", "rained", "table"])
    assert reigned @ rained > 0.7 > reigned @ table
