"""Where sentences end, and how words make a line of text."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Latin; then Chinese and Japanese, Arabic, Hindi, Amharic.
_TERMINATORS = frozenset(".?!\u2026" + "\u3002\uff01\uff1f\uff61" + "\u061f" + "\u0964" + "\u1362")
_CLOSERS = "\"')]}" + "\u2019\u201d\u00bb" + "\u300d\u300f\uff09"
_TITLES = frozenset({"mr.", "mrs.", "ms.", "dr.", "prof.", "st.", "vs.", "e.g.", "i.e."})
_INITIAL = re.compile(r"[^\W\d_]\.")

# Thai, Lao, Tibetan, Burmese, Khmer, kana, Chinese characters. Hangul is left out: Korean is
# written with spaces.
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
# Full-width punctuation brings its own space along.
_FULL_WIDTH_MARK = re.compile("[\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff3d\uff5b-\uff65]")


def ends_sentence(text: str) -> bool:
    """Whether a word with its punctuation closes a sentence."""
    bare = text.rstrip(_CLOSERS)
    if not bare or bare[-1] not in _TERMINATORS:
        return False
    return bare.lower() not in _TITLES and not _INITIAL.fullmatch(bare)


def join_words(words: Iterable[str]) -> str:
    """Words as one line: with spaces between them, except in scripts that are written without."""
    line = ""
    for word in words:
        line += f" {word}" if line and _spaced(line[-1], word[0]) else word
    return line


def _spaced(left: str, right: str) -> bool:
    if _FULL_WIDTH_MARK.match(left) or _FULL_WIDTH_MARK.match(right):
        return False
    return not (_UNSPACED.match(left) and _UNSPACED.match(right))
