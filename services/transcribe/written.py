"""Words as they are written: where they end, and how long they take to say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_VOWELS = re.compile(
    "[aeiouy"
    "\u0430\u0435\u0451\u0438\u043e\u0443\u044b\u044d\u044e\u044f\u0456\u0454\u0457"  # Cyrillic
    "\u03b1\u03b5\u03b7\u03b9\u03bf\u03c5\u03c9]+"  # Greek
)
_VOWELS_MORE = 1.0
_SOUNDS_OF_A_LETTER = 0.75
_SPOKEN_AS = {"%": 7, "$": 6, "€": 4, "£": 6, "&": 3, "+": 4, "=": 6, "@": 2, "°": 6}
"""Sounds of the word that a sign is read as."""
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese: scripts that put no space between words."""


def words_of(text: str) -> list[str]:
    """The words of a text; in scripts without spaces, each character with its marks is one."""
    return [word for token in text.split() for word in _split(token)]


def spoken_length(text: str) -> float:
    """How long a word takes to say, in sounds; digits and signs are read out.

    Vowels are longer than consonants, and letters of vowels side by side are one vowel.
    """
    sounds = 0.5 + _VOWELS_MORE * len(_VOWELS.findall(_without_marks(text)))
    digits = 0
    for character in text:
        if character.isdigit():
            digits += 1
            sounds += 4 if digits <= 4 else 2
        elif _UNSPACED.match(character) or "\uac00" <= character <= "\ud7a3":
            sounds += 3
        elif character.isalpha():
            sounds += _SOUNDS_OF_A_LETTER
        else:
            sounds += _SPOKEN_AS.get(character, 0)
    return sounds


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def bare(text: str) -> str:
    """A word without case, punctuation and signs."""
    return "".join(character for character in text.casefold() if character.isalnum())


def _split(token: str) -> Iterable[str]:
    if not _UNSPACED.search(token):
        return [token]
    words: list[str] = []
    for character in token:
        if words and not _begins_word(character, words[-1]):
            words[-1] += character
        else:
            words.append(character)
    return words


def _begins_word(character: str, before: str) -> bool:
    """Whether it does after the word before; marks do not, and an opening bracket waits for one."""
    if unicodedata.category(character).startswith("M"):
        return False
    if not any(letter.isalnum() for letter in before):
        return False
    if unicodedata.category(character) in ("Ps", "Pi"):
        return True
    return bool(_UNSPACED.match(character)) or (
        character.isalnum() and bool(_UNSPACED.search(before))
    )
