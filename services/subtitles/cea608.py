"""Text as the byte pairs of CEA-608 (ANSI/CTA-608-E, 47 CFR 79.101), data channel 1.

The basic set is ASCII with some letters in the place of signs. The special set is one code to a
character. An extended character comes after one of the basic set, which it replaces: decoders that
do not know it show that one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from services.subtitles.graphemes import graphemes, is_blank

COLUMNS = 32
ROWS = 15

RESUME_CAPTION_LOADING = 0x1420
ERASE_DISPLAYED = 0x142C
ERASE_NON_DISPLAYED = 0x142E
END_OF_CAPTION = 0x142F

_PAD = 0x00
_UNKNOWN = "?"

_BASIC = {chr(code): code for code in range(0x20, 0x7F) if chr(code) not in "*\\^_`{|}~"}
_BASIC |= {"á": 0x2A, "é": 0x5C, "í": 0x5E, "ó": 0x5F, "ú": 0x60, "ç": 0x7B}
_BASIC |= {"÷": 0x7C, "Ñ": 0x7D, "ñ": 0x7E}
_SPECIAL = {char: 0x1130 + at for at, char in enumerate("®°½¿™¢£♪à\0èâêîôû") if char != "\0"}
_EXTENDED = {
    char: first + at
    for first, chars in (
        (0x1220, "ÁÉÓÚÜü‘¡*\0—©℠•“”"),  # noqa: RUF001 - the characters that the standard names
        (0x1230, "ÀÂÇÈÊËëÎÏïÔÙùÛ«»"),
        (0x1320, "ÃãÍÌìÒòÕõ{}\\^_|~"),
        (0x1330, "ÄäÖöß¥¤\0ÅåØø┌┐└┘"),
    )
    for at, char in enumerate(chars)
    if char != "\0"
}
_CODES = _SPECIAL | _EXTENDED
_KNOWN = _BASIC.keys() | _CODES.keys()

_SUBSTITUTES = {
    "\u00a0": " ",
    "\u2019": "'",
    "`": "'",
    "\u2010": "-",
    "\u2011": "-",
    "\u2013": "-",
    "\u2015": "—",
    "\u2212": "-",
    "\u201a": ",",
    "\u201e": '"',
    "\u2039": "<",
    "\u203a": ">",
    "\u20ac": "EUR",
    "♫": "♪",
    "Æ": "AE",
    "æ": "ae",
    "Œ": "OE",
    "œ": "oe",
    "ẞ": "SS",
    "\u0131": "i",
    "Ł": "L",
    "ł": "l",
    "Đ": "D",
    "đ": "d",
}
_FALLBACKS = {"“": '"', "”": '"', "‘": "'", "—": "-", "«": "<", "»": ">", "{": "(", "}": ")"}  # noqa: RUF001 - as above
_FALLBACKS |= {"\\": "/", "|": "!", "_": "-", "¡": "!", "•": ".", "ß": "s", "Ø": "O", "ø": "o"}


def _fallback(char: str) -> int:
    plain = _FALLBACKS.get(char) or unicodedata.normalize("NFD", char)[0]
    return _BASIC.get(plain, _BASIC[_UNKNOWN])


_FIRST = _BASIC | {char: _fallback(char) for char in _EXTENDED}
"""The basic characters that are sent: for extended ones, those that they replace."""

# Preamble address codes by row: the code for indent 0.
_PREAMBLES = (
    *(0x1150, 0x1170, 0x1250, 0x1270, 0x1550, 0x1570, 0x1650, 0x1670),
    *(0x1750, 0x1770, 0x1050, 0x1350, 0x1370, 0x1450, 0x1470),
)
_TAB = 0x1720


def in_cea608(text: str) -> str:
    """The text in characters that CEA-608 has; what it has nothing like is a question mark."""
    if text.isascii() and text.isprintable() and "`" not in text:
        return text
    return "".join(_substitute(cluster) for cluster in graphemes(text))


def _substitute(cluster: str) -> str:
    found = "".join(map(_character, unicodedata.normalize("NFC", cluster)))
    is_unknown = _UNKNOWN not in cluster and set(found.strip(" ")) == {_UNKNOWN}
    # One mark for what people see as one character, however many it is made of.
    return found.rstrip(_UNKNOWN) + _UNKNOWN if is_unknown else found


def _character(char: str) -> str:
    if char in _KNOWN or char in _SUBSTITUTES:
        return _SUBSTITUTES.get(char, char)
    plain = [one for one in unicodedata.normalize("NFKD", char) if not unicodedata.combining(one)]
    known = [_SUBSTITUTES.get(one, one) for one in plain if one in _KNOWN or one in _SUBSTITUTES]
    if known and len(known) == len(plain):
        return "".join(known)
    return "" if is_blank(char) or not plain else _UNKNOWN


def is_code(word: int) -> bool:
    """Whether it is sent twice: anything but two basic characters."""
    return word < 0x2000


def row_words(text: str, row: int) -> Iterator[int]:
    """What sets a row, 1 to 15 from the top, of at most 32 columns, in the middle."""
    indent = max(0, COLUMNS - len(text)) // 2
    yield from _twice(_PREAMBLES[row - 1] + 2 * (indent // 4))
    if indent % 4:
        yield from _twice(_TAB + indent % 4)
    yield from _text_words(text)


def _text_words(text: str) -> Iterator[int]:
    """Two basic characters to a word; codes stand on their own, and are sent twice."""
    held: int | None = None
    for char in text:
        if (basic := _FIRST.get(char)) is not None:
            if held is not None:
                yield held << 8 | basic
            held = basic if held is None else None
        if char not in _BASIC:
            if held is not None:
                yield held << 8 | _PAD
                held = None
            yield from _twice(_CODES[char])
    if held is not None:
        yield held << 8 | _PAD


def _twice(code: int) -> tuple[int, int]:
    return code, code


def with_parity(word: int) -> str:
    """Four hexadecimal digits, each byte with a top bit that makes its ones odd in number."""
    return _BYTES[word >> 8] + _BYTES[word & 0x7F]


_BYTES = [f"{code if code.bit_count() % 2 else code | 0x80:02x}" for code in range(0x80)]
