"""Several engines' words become one text, better than any of them."""

from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.merge.building import build_network
from services.merge.ctm import read_ctm, vote_ctm, write_ctm
from services.merge.voting import Member, VotedWord, learn_weights, vote, vote_all
from services.runtime.errors import BadInputError
from voxmesh_schemas import HypothesisWord

DATA = Path(__file__).resolve().parents[2] / "../shared/data/rover"

TEXTS = st.lists(
    st.sampled_from(["no", "yes", "school", "room", "schoolroom", "Two", "2", "the"]), max_size=8
).map(" ".join)


def said(words: list[VotedWord]) -> str:
    return " ".join(word.text for word in words)


def voted(*texts: str, **options: dict[str, float]) -> str:
    members = [Member.from_text(f"engine-{n}", text) for n, text in enumerate(texts)]
    return said(vote(members, **options))


def timed(text: str, start_ms: int = 0, confidence: float | None = None) -> list[HypothesisWord]:
    return [
        HypothesisWord(text=word, start_ms=s, end_ms=s + 200, confidence=confidence)
        for s, word in zip(range(start_ms, 10**9, 300), text.split(), strict=False)
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("the dull light", "the doll light", "the dull light"), "the dull light"),
        (("he fell down", "he fell", "he fell"), "he fell"),
        (("he fell", "he fell down", "he fell down"), "he fell down"),
        (("no no no", "no no", "no no no"), "no no no"),
        (("at the school room now", "at the schoolroom now", "at the school room now"),
         "at the school room now"),
        (("at the schoolroom now", "at the school room now", "at the schoolroom now"),
         "at the schoolroom now"),
        (("up on it", "upon it", "upon it"), "upon it"),
        (("Mr. Smith came.", "mister smith came", "mister smyth came"), "Mr. Smith came."),
        (("two men", "2 men", "too men"), "two men"),
        (("He was 42, ok?", "he was 42 okay", "he was 4 okay"), "He was 42, ok?"),
        (("", "", ""), ""),
        (("a b c", "", "a b c"), "a b c"),
    ],
    ids=[
        "majority", "invented word", "missed word", "repeated word", "compound in two",
        "compound in one", "compound, no mixture", "titles", "numerals", "writing is kept",
        "silence", "one heard nothing",
    ],
)  # fmt: skip
def test_three_equal_voices_settle_the_known_traps(texts: tuple[str, ...], expected: str) -> None:
    assert voted(*texts) == expected


@given(TEXTS)
def test_a_sole_member_comes_back_as_it_is(text: str) -> None:
    words = timed(text, 70, 0.4)
    out = vote([Member("only", words)])
    assert [(w.text, w.start_ms, w.end_ms, w.confidence) for w in out] == [
        (w.text, w.start_ms, w.end_ms, w.confidence) for w in words
    ]


@settings(max_examples=40)
@given(TEXTS, st.integers(2, 4))
def test_what_all_agree_on_comes_back_as_it_is(text: str, size: int) -> None:
    words = timed(text, 70)
    out = vote([Member(f"engine-{n}", words) for n in range(size)])
    assert [(w.text, w.start_ms, w.end_ms) for w in out] == [
        (w.text, w.start_ms, w.end_ms) for w in words
    ]
    assert all(word.agreement == 1 for word in out)


@settings(max_examples=25)
@given(st.lists(TEXTS, min_size=2, max_size=3), st.booleans())
def test_the_order_of_the_members_does_not_matter(texts: list[str], with_times: bool) -> None:
    members = [
        Member(f"engine-{n}", timed(text)) if with_times else Member.from_text(f"engine-{n}", text)
        for n, text in enumerate(texts)
    ]
    outcomes = [vote(order) for order in permutations(members)]
    assert all(outcome == outcomes[0] for outcome in outcomes)


@given(st.lists(TEXTS, min_size=1, max_size=4), st.integers(0, 700))
def test_no_word_is_invented_and_times_rise(texts: list[str], lag_ms: int) -> None:
    members = [Member(f"engine-{n}", timed(text, n * lag_ms)) for n, text in enumerate(texts)]
    out = vote(members)
    assert {word.text for word in out} <= {word for text in texts for word in text.split()}
    for one, other in pairwise(out):
        assert one.start_ms <= one.end_ms <= other.start_ms
    for word in out:
        assert word.confidence is None or 0 <= word.confidence <= 1
        assert 0 < word.agreement <= 1


def test_a_word_says_who_heard_it_and_what_else_it_might_be() -> None:
    out = vote(
        [
            Member.from_text(e, f"the {w} light")
            for e, w in zip("abc", ["dull", "doll", "dull"], strict=True)
        ]
    )
    word = out[1]
    assert (word.text, word.engines) == ("dull", ("a", "c"))
    assert word.agreement == pytest.approx(2 / 3)
    assert [(other.text, other.engines) for other in word.alternatives] == [("doll", ("b",))]


def test_words_that_only_a_member_without_times_heard_stand_between_their_neighbours() -> None:
    heard = Member("timed", timed("far home"))
    texts = [Member.from_text(name, "far from home") for name in ("one", "other")]
    out = vote([heard, *texts])
    assert said(out) == "far from home"
    assert [(w.start_ms, w.end_ms) for w in out] == [(0, 200), (200, 300), (300, 500)]


def test_of_engines_that_agree_the_one_with_the_best_times_gives_them() -> None:
    rng = np.random.default_rng(3)
    text = " ".join(f"w{n}" for n in rng.integers(0, 50, 60))
    steady = timed(text)
    moved = [
        w.model_copy(update={"start_ms": w.start_ms + 90, "end_ms": w.end_ms + 90}) for w in steady
    ]
    early = [
        w.model_copy(update={"start_ms": max(0, w.start_ms - 100), "end_ms": w.end_ms - 100})
        for w in steady
    ]
    out = vote([Member("a", moved), Member("b", steady), Member("c", early)])
    assert [w.start_ms for w in out] == [w.start_ms for w in steady]


def heard_with_errors(
    truth: list[str], rng: np.random.Generator, wrong: float, missed: float, invented: float
) -> str:
    """The words as a recogniser with such error rates hears them; some errors are its own."""
    out: list[str] = []
    for word in truth:
        if rng.random() < missed:
            continue
        out.append(f"{word}{rng.choice(list('aeiou'))}" if rng.random() < wrong else word)
        if rng.random() < invented:
            out.append(str(rng.choice(["the", "a", "and"])))
    return " ".join(out)


def errors(truth: list[str], heard: list[str]) -> int:
    """Edit distance in words."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(truth, start=1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, start=1):
            before, row[j] = row[j], min(before + (word != other), row[j] + 1, row[j - 1] + 1)
    return row[-1]


GOOD, FAIR, POOR = (0.05, 0.02, 0.01), (0.12, 0.03, 0.02), (0.35, 0.08, 0.05)
NOISE = (1.0, 0.2, 0.2)


@pytest.mark.parametrize(
    "rates",
    [
        (GOOD, GOOD, GOOD),
        (GOOD, FAIR, POOR),
        (GOOD, POOR, POOR),
        (GOOD, FAIR, NOISE),
        (GOOD, FAIR),
        (GOOD, NOISE),
        (FAIR, GOOD, GOOD, POOR, NOISE),
    ],
    ids=["peers", "mixed", "one good of three", "noise", "two", "two with noise", "five"],
)
@pytest.mark.parametrize("weights", [None, "wrong"])
def test_the_result_is_no_worse_than_the_best_member(
    rates: tuple[tuple[float, float, float], ...], weights: str | None
) -> None:
    rng = np.random.default_rng(11)
    vocabulary = [f"{a}{b}{c}" for a in "bdfgkl" for b in "aeiou" for c in ("m", "nt", "r", "st")]
    odds = 1 / (np.arange(len(vocabulary)) + 3)
    truth = [
        rng.choice(vocabulary, rng.integers(8, 30), p=odds / odds.sum()).tolist()
        for _ in range(120)
    ]
    members = [
        [
            Member.from_text(f"e{n}", heard_with_errors(words, rng, *rate))
            for n, rate in enumerate(rates)
        ]
        for words in truth
    ]
    start = {f"e{n}": 5.0 * n + 0.2 for n in range(len(rates))} if weights else None
    joint = sum(
        errors(words, said(out).split())
        for words, out in zip(truth, vote_all(members, start), strict=True)
    )
    alone = [
        sum(
            errors(words, [w.text for w in group[n].words])
            for words, group in zip(truth, members, strict=True)
        )
        for n in range(len(rates))
    ]
    assert joint <= min(alone)


def test_learned_reliabilities_rank_engines_as_they_are() -> None:
    rng = np.random.default_rng(5)
    truth = [f"w{n}" for n in rng.zipf(1.4, 3000) % 400]
    members = [
        Member.from_text(name, heard_with_errors(truth, rng, *rates))
        for name, rates in [("poor", POOR), ("good", GOOD), ("fair", FAIR)]
    ]
    learned = learn_weights(build_network([members]))
    assert sorted(learned, key=lambda name: -learned[name].accuracy) == ["good", "fair", "poor"]
    assert sum(learned["good"].deletion) == pytest.approx(0.02, abs=0.01)


def test_reliabilities_learned_before_serve_a_short_recording() -> None:
    rng = np.random.default_rng(5)
    truth = [f"w{n}" for n in rng.zipf(1.4, 2000) % 400]
    rates = {"good": GOOD, "poor": POOR, "other": POOR}
    members = [Member.from_text(n, heard_with_errors(truth, rng, *r)) for n, r in rates.items()]
    learned = learn_weights(build_network([members]))
    short = [
        Member.from_text(name, text)
        for name, text in [
            ("good", "stew for dinner"),
            ("poor", "stewed dinner"),
            ("other", "so for"),
        ]
    ]
    assert said(vote(short, reliability=learned)) == "stew for dinner"


def test_an_engine_that_breaks_off_does_not_silence_the_others() -> None:
    rng = np.random.default_rng(7)
    truth = [[f"w{n}" for n in rng.zipf(1.4, 20) % 200] for _ in range(60)]
    cut = [
        [words[: rng.integers(5, 18)] if rng.random() < 0.4 else words for words in truth]
        for _ in range(2)
    ]
    members = [
        [Member.from_text("whole", " ".join(words))]
        + [Member.from_text(f"cut-{n}", " ".join(cut[n][index])) for n in range(2)]
        for index, words in enumerate(truth)
    ]
    lost = sum(len(words) - len(out) for words, out in zip(truth, vote_all(members), strict=True))
    assert lost == 0


def test_a_burst_that_one_engine_invents_over_silence_is_dropped() -> None:
    rng = np.random.default_rng(7)
    truth = [f"w{n}" for n in rng.zipf(1.4, 400) % 200]
    babble = [
        *truth[:200],
        *["thank", "you", "for", "watching", "and", "please", "subscribe"],
        *truth[200:],
    ]
    members = [Member.from_text(n, " ".join(truth)) for n in ("a", "b")]
    out = vote([*members, Member.from_text("c", " ".join(babble))])
    assert [word.text for word in out] == truth


def test_engines_of_one_family_share_one_voice() -> None:
    texts = {"whisper-1": "stewed", "whisper-2": "stewed", "parakeet": "stew", "canary": "stew"}
    rest = "he hoped there would be {} for dinner"
    members = [
        Member.from_text(engine, rest.format(word), family=engine.split("-")[0])
        for engine, word in texts.items()
    ]
    assert "stew for" in said(vote(members))


def test_confidences_break_a_tie() -> None:
    words = {
        engine: [
            w.model_copy(update={"confidence": sure if w.text == heard else 0.9})
            for w in timed(f"he hoped there would be {heard} for dinner")
        ]
        for engine, heard, sure in [("a", "stewed", 0.2), ("b", "stew", 0.95)]
    }
    assert "stew for" in said(vote([Member(engine, heard) for engine, heard in words.items()]))


def test_an_engine_that_did_not_hear_a_recording_has_no_say_in_it() -> None:
    both = [Member.from_text("a", "he fell down"), Member.from_text("b", "he fell down")]
    alone = [Member.from_text("b", "only b")]
    assert [said(out) for out in vote_all([both, alone, []])] == ["he fell down", "only b", ""]


CTM = """;; a comment
r1 1 0.00 0.25 Hello 0.9
r1 1 0.25 0.5 world.
r2 A 0 0 @
"""


def test_a_ctm_comes_back_as_it_was_read() -> None:
    read = read_ctm(CTM)
    assert [word.text for word in read["r1", "1"]] == ["Hello", "world."]
    assert read["r2", "A"] == []
    assert read_ctm(write_ctm(read)) == read


@pytest.mark.parametrize(
    ("line", "said_about_it"),
    [
        ("r1 1 0.0 hello", "line 1 of x has 4 fields"),
        ("r1 1 zero 0.1 hello", "not a number"),
        ("r1 1 -1 0.1 hello", "negative"),
        ("r1 1 nan 0.1 hello", "negative or endless"),
        ("r1 1 0.0 0.1 hello 7", "confidence above 1"),
    ],
)
def test_a_line_that_is_not_ctm_is_refused_with_its_number(line: str, said_about_it: str) -> None:
    with pytest.raises(BadInputError, match=said_about_it):
        read_ctm(line, name="x")


def test_nist_s_own_example_comes_out_better_than_each_system() -> None:
    if not DATA.exists():
        pytest.skip("the recogniser outputs in ../shared/data are not here")
    texts = {name: (DATA / f"{name}.ctm").read_text() for name in ("sys1", "sys2", "sys3")}
    reference = read_ctm((DATA / "ref.ctm").read_text())

    def wrong(text: str) -> int:
        heard = read_ctm(text)
        return sum(
            errors([w.text for w in words], [w.text for w in heard.get(key, [])])
            for key, words in reference.items()
        )

    assert wrong(vote_ctm(texts)) < min(wrong(text) for text in texts.values())
