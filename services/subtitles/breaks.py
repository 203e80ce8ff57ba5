"""How good a place between two words is for the end of a line or of a cue.

The order is that of the Netflix Timed Text Style Guide ("Line Treatment") and the BBC Subtitle
Guidelines ("Break at natural points"): after punctuation, before conjunctions and prepositions,
never between an article and its noun, a name and its surname, a number and its unit.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

from services.subtitles.function_words import FunctionWords
from services.subtitles.graphemes import is_unspaced


class Break(IntEnum):
    """Kinds of places to break at, from best to worst; the value is what breaking there costs."""

    SENTENCE = 0
    CLAUSE = 2
    CONJUNCTION = 4
    PREPOSITION = 6
    PHRASE = 7
    """Before an article, a subject pronoun, an auxiliary or a numeral."""
    PLAIN = 9
    TIGHT = 18
    """After an article or a preposition, inside a name, between number and unit."""
    GLUED = 30
    """Inside a word, or before closing punctuation."""


_OPENING = "([{\"'«»‹›“”„‚‘’「『《〈（【¿¡"  # noqa: RUF001 - these are the typographic marks meant
_CLOSING = ")]}\"'»«›‹”“’‘」』》〉）】"  # noqa: RUF001 - as above
_SENTENCE_ENDS = ".?!…。？！｡؟۔।॥።"  # noqa: RUF001 - as above
_CLAUSE_ENDS = ",;:—–、，；：،؛"  # noqa: RUF001 - as above
_ENDS = frozenset(_CLOSING + _SENTENCE_ENDS + _CLAUSE_ENDS)
# What no line of Japanese begins with beside punctuation (JIS X 4051): small kana, and marks that
# lengthen or repeat what is before them.
_NEVER_FIRST = frozenset("ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶー々ゝゞヽヾ・")
_LETTERS = str.maketrans("’", "'")  # noqa: RUF001 - as above


# Language repeats itself, and every format asks again.
@lru_cache(maxsize=1 << 16)
def break_between(left: str, right: str, words: FunctionWords, *, spaced: bool) -> Break:
    """The kind of break that ends a line after `left` and begins the next with `right`."""
    core = left.rstrip(_CLOSING)
    if not core or _only_closes(right):
        return Break.GLUED
    if (mark := core[-1]) in _SENTENCE_ENDS and not _goes_on(core, right, words):
        return Break.SENTENCE
    if _is_abbreviation(core, words):
        return Break.TIGHT
    if mark in _CLAUSE_ENDS or mark in _SENTENCE_ENDS:
        return Break.CLAUSE
    if not spaced:
        return _unspaced(left, right)
    return _between_words(_plain(left), right, words)


def _unspaced(left: str, right: str) -> Break:
    is_word_end = is_unspaced(left[-1]) or is_unspaced(right[0])
    if left[-1] in _OPENING or right[0] in _NEVER_FIRST or not is_word_end:
        return Break.GLUED
    return Break.PLAIN


def _between_words(left: str, right: str, words: FunctionWords) -> Break:
    ends, begins = left.lower(), _plain(right).lower()
    if words.is_bound(ends) or _is_number(left):
        return Break.TIGHT
    if words.capitalised_pairs and left[:1].isupper() and _plain(right)[:1].isupper():
        return Break.TIGHT
    if begins in words.conjunctions:
        return Break.CONJUNCTION
    if begins in words.prepositions:
        return Break.PREPOSITION
    if begins in words.binders or right[0] in _OPENING:
        return Break.PHRASE
    return Break.PLAIN


def _only_closes(right: str) -> bool:
    return right[0] in _ENDS and not any(char.isalnum() for char in right)


def _goes_on(core: str, right: str, words: FunctionWords) -> bool:
    return right[0].islower() or _is_abbreviation(core, words)


def _is_abbreviation(core: str, words: FunctionWords) -> bool:
    """Whether its full stop belongs to the word: "Dr.", or an initial such as "J."."""
    bare = core.lstrip(_OPENING)
    is_initial = len(bare) == 2 and bare[0].isupper() and bare != "I."
    return bare.endswith(".") and (bare.lower() in words.abbreviations or is_initial)


def _is_number(word: str) -> bool:
    return word[-1:].isdigit() and word[:1].isdigit()


def _plain(word: str) -> str:
    return word.translate(_LETTERS).strip('"()[]{}«»“”„¿¡')
