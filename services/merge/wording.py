"""What counts as the same word, and how alike two words are."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

_SAME = {
    "mister": "mr", "missus": "mrs", "missis": "mrs", "doctor": "dr", "okay": "ok",
    "alright": "all right", "percent": "%",
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
    "thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16", "seventeen": "17",
    "eighteen": "18", "nineteen": "19", "twenty": "20", "thirty": "30", "forty": "40",
    "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
    "first": "1st", "second": "2nd", "third": "3rd",
}  # fmt: skip
"""Words that recognisers write in two ways."""

_PROFILE = 64


def normal_form(text: str) -> str:
    """A word as it is compared: case, accents' encoding, punctuation and spelling of numbers gone.

    A word that is nothing but punctuation stays as it is.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = "".join(c for c in folded if c.isalnum() or unicodedata.category(c)[0] in "MS")
    return _SAME.get(bare, bare) or folded


class Vocabulary:
    """Numbers for words: words of one normal form have one number, from 0."""

    def __init__(self) -> None:
        self.forms: list[str] = []
        self._number: dict[str, int] = {}
        self._of_text: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of a word as an engine wrote it."""
        found = self._of_text.get(text)
        if found is None:
            found = self._of_text[text] = self.number_of_form(normal_form(text))
        return found

    def number_of_form(self, form: str) -> int:
        """The number of a normal form."""
        found = self._number.setdefault(form, len(self.forms))
        if found == len(self.forms):
            self.forms.append(form)
        return found

    def profiles(self) -> npt.NDArray[np.float32]:
        """Letter profiles of all words, of unit length, shape (words, 64).

        The product of two is how alike the words are, 0 to 1.
        """
        return profiles(self.forms)


def profiles(forms: Sequence[str]) -> npt.NDArray[np.float32]:
    """Hashed counts of letters and letter pairs of each word, of unit length, shape (words, 64).

    The cosine of q-gram profiles (Ukkonen 1992): like edit distance it tells `reigned` from
    `rained` and `table`, and unlike it compares a million pairs by one product of matrices.
    """
    counts = np.zeros((len(forms), _PROFILE), dtype=np.float32)
    for row, form in enumerate(forms):
        letters = form.replace(" ", "")
        padded = f"^{letters}$"
        for letter in letters:
            counts[row, ord(letter) % 32] += 1.0
        for left, right in pairwise(padded):
            counts[row, 32 + (ord(left) * 7 + ord(right) * 3) % 32] += 1.0
    norms = np.sqrt(np.sum(counts**2, axis=1, keepdims=True))
    return np.asarray(counts / np.maximum(norms, 1e-9))
