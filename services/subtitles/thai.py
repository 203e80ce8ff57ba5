"""Where words end in Thai, which writes them without spaces between."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

_THAI = re.compile(r"[\u0e01-\u0e5b]")


def is_thai(text: str) -> bool:
    """Whether any of it is Thai."""
    return _THAI.search(text) is not None


def thai_words(text: str) -> list[str]:
    """The words of a text, which they add up to; it stays whole where PyThaiNLP is missing."""
    tokenize = _tokenizer()
    if tokenize is None:
        return [text]
    words: list[str] = []
    for word in tokenize(text):
        # A mark belongs to the letter before it, whatever a dictionary makes of it.
        if words and unicodedata.category(word[0]) in {"Mn", "Me", "Mc", "Cf"}:
            words[-1] += word
        else:
            words.append(word)
    return words if "".join(words) == text else [text]


@lru_cache(maxsize=1)
def _tokenizer() -> Callable[[str], list[str]] | None:
    """Maximal matching against a dictionary (PyThaiNLP's `newmm`), or None."""
    try:
        from pythainlp.tokenize import word_tokenize
    except ImportError:
        return None
    return lambda text: word_tokenize(text, engine="newmm")
