"""What readers see of a string: characters as people count them, and how wide they are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

ZERO_WIDTH_JOINER = "\u200d"
RIGHT_TO_LEFT_MARK = "\u200f"

# No-break spaces hold words together on purpose; every other white space ends a word, line
# separators included, because some readers of captions take those for the end of a line.
_SPACES = re.compile(r"[^\S\u00a0\u2007\u202f]+")
# Joiners and the three marks of direction shape the text beside them and stay. Embeddings,
# overrides and isolates would reach past the cue that breaks them in two, and go.
_KEPT_FORMATS = frozenset("\u200c\u200d\u200e\u200f\u061c")
_REGIONAL = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)
_HANGUL_LEADING = range(0x1100, 0x1160)
_HANGUL_TRAILING = range(0x1160, 0x1200)
_HANGUL_SYLLABLES = range(0xAC00, 0xD7A4)
# Vowels of Thai and Lao that Unicode calls letters but that belong to the letter before them.
_SPACING_VOWELS = frozenset("\u0e33\u0eb3")
_VIRAMAS = frozenset("\u094d\u09cd\u0a4d\u0acd\u0b4d\u0c4d\u0d4d")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u303f\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff01-\uff65\U00020000-\U0003ffff]"
)


def visible(text: str) -> str:
    """The text on one line, with single spaces, and without anything that only controls."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    kept = (char for char in _SPACES.sub(" ", text) if _is_shown(char))
    return _SPACES.sub(" ", "".join(kept)).strip(" ")


def _is_shown(char: str) -> bool:
    category = unicodedata.category(char)
    if category == "Cf":
        return char in _KEPT_FORMATS or ord(char) in _TAGS
    return category not in {"Cc", "Cs"} and not _is_noncharacter(ord(char))


def _is_noncharacter(code: int) -> bool:
    """Whether Unicode keeps it for no character at all; XML refuses some of them."""
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def is_blank(text: str) -> bool:
    """Whether a reader sees nothing."""
    return all(char.isspace() or unicodedata.category(char) in {"Cf", "Cc", "Cs"} for char in text)


def graphemes(text: str) -> Iterator[str]:
    """Extended grapheme clusters, after UAX #29; where in doubt, it keeps characters together."""
    cluster = ""
    for char in text:
        if cluster and not _continues(cluster, char):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


def _continues(cluster: str, char: str) -> bool:
    last, code = cluster[-1], ord(char)
    if is_blank(cluster):
        return True
    if unicodedata.category(char) in {"Mn", "Me", "Mc"} or char in _SPACING_VOWELS:
        return True
    if char == ZERO_WIDTH_JOINER or code in _SKIN_TONES or code in _TAGS:
        return True
    if char in _KEPT_FORMATS or last == ZERO_WIDTH_JOINER or last in _VIRAMAS:
        return True
    if code in _REGIONAL and ord(last) in _REGIONAL:
        return sum(ord(other) in _REGIONAL for other in cluster) % 2 == 1
    if code in _HANGUL_TRAILING:
        return unicodedata.name(last, "").startswith("HANGUL")
    return ord(last) in _HANGUL_LEADING and (code in _HANGUL_LEADING or code in _HANGUL_SYLLABLES)


@lru_cache(maxsize=65536)
def cells(text: str) -> int:
    """Width of a text: one cell per cluster, two for wide ones (UAX #11) and emoji."""
    if text.isascii():
        return len(text)
    return sum(_cluster_cells(cluster) for cluster in graphemes(text))


def _cluster_cells(cluster: str) -> int:
    return min(2, sum(_char_cells(char) for char in cluster))


def _char_cells(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, most_cells: int) -> str:
    """As much of the beginning of a text as so many cells hold; an ellipsis says what is gone."""
    if cells(text) <= most_cells:
        return text
    kept, width = "", 1
    for cluster in graphemes(text):
        width += _cluster_cells(cluster)
        if width > most_cells:
            break
        kept += cluster
    return f"{kept.rstrip()}…"


def is_unspaced(char: str) -> bool:
    """Whether it belongs to a script that writes no spaces between words (Chinese, Thai, …)."""
    return _UNSPACED.match(char) is not None


def is_spaced(left: str, right: str) -> bool:
    """Whether a space stands between two neighbouring words."""
    if left.isascii() and right.isascii():
        return True
    ends, begins = left[-1], right[0]
    if is_unspaced(ends):
        return begins.isalpha() and not is_unspaced(begins)
    if is_unspaced(begins):
        return ends.isalpha()
    return True


def is_right_to_left(text: str) -> bool:
    """Whether its first letter is written from right to left (UAX #9, rule P2)."""
    for char in text:
        if (direction := unicodedata.bidirectional(char)) in {"L", "R", "AL"}:
            return direction != "L"
    return False


def is_language_tag(text: str) -> bool:
    """Whether it has the form of a BCP 47 tag."""
    return re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", text) is not None
