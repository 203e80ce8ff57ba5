"""Words grouped into what reads like sentences."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.emotion.sentences import sentence_windows, sentences
from voxmesh_schemas import Hypothesis, HypothesisWord


def word(
    text: str, start_ms: int = 0, end_ms: int = 0, language: str | None = None
) -> HypothesisWord:
    return HypothesisWord(
        text=text, start_ms=start_ms, end_ms=max(start_ms, end_ms), language=language
    )


def texts(words: list[HypothesisWord]) -> list[str]:
    return [" ".join(word.text for word in run) for run in sentences(words)]


@pytest.mark.parametrize(
    ("line", "runs"),
    [
        ("It works. Does it?", ["It works.", "Does it?"]),
        ('He said "no!" twice', ['He said "no!"', "twice"]),
        ("好。 不好", ["好。", "不好"]),
        ("3.5 percent, roughly", ["3.5 percent, roughly"]),
        ("no punctuation at all", ["no punctuation at all"]),
    ],
)
def test_a_sentence_ends_at_its_punctuation(line: str, runs: list[str]) -> None:
    assert texts([word(text) for text in line.split()]) == runs


@pytest.mark.parametrize(("pause_ms", "count"), [(499, 1), (500, 2)])
def test_a_sentence_ends_at_a_pause_of_half_a_second(pause_ms: int, count: int) -> None:
    assert len(texts([word("well", 0, 300), word("yes", 300 + pause_ms, 900 + pause_ms)])) == count


def test_a_sentence_lasts_twelve_seconds_at_most() -> None:
    words = [word("on", 400 * index, 400 * index + 400) for index in range(60)]
    assert [len(run) for run in sentences(words)] == [30, 30]


spans = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 3_000), st.sampled_from("ab.")))


@given(spans)
def test_every_word_is_in_one_sentence_and_in_order(steps: list[tuple[int, int, str]]) -> None:
    words, now = [], 0
    for pause, length, text in steps:
        words.append(word(text, now + pause, now + pause + length))
        now = words[-1].end_ms
    assert [word for run in sentences(words) for word in run] == words
    windows = sentence_windows(Hypothesis(engine="e", model="m", words=tuple(words)), ())
    assert all(first.end_ms <= second.start_ms for first, second in pairwise(windows))


@pytest.mark.parametrize(
    ("languages", "own", "said", "is_read"),
    [
        (("en",), "en", None, True),
        (("en",), "en-GB", None, True),
        (("en",), "fr", None, False),
        (("en",), None, None, True),
        (("en",), "en", "fr", False),
        (("en", "fr"), "fr", None, True),
        ((), "tlh", None, True),
    ],
)
def test_a_sentence_is_read_when_most_of_its_words_are_in_a_language_known(
    languages: tuple[str, ...], own: str | None, said: str | None, is_read: bool
) -> None:
    words = (word("a", language=said), word("b", language=said), word("c"))
    (window,) = sentence_windows(
        Hypothesis(engine="e", model="m", language=own, words=words), languages
    )
    assert (window.content is not None) == is_read
