"""Languages by BCP 47 tag and by Whisper's codes, and the language of each clip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from services.transcribe.speech import Stretch

_TO_WHISPER = {"cmn": "zh", "fil": "tl", "iw": "he", "jv": "jw", "nb": "no"}
_FROM_WHISPER = {"jw": "jv"}

UNSPACED = frozenset({"lo", "my", "th", "yue", "ja", "zh"})
"""Whisper's codes of languages written without spaces: its words there are single characters."""
_SURE = 0.8
"""A clip has a language of its own from this probability; a mumbled "hm" sounds like any."""


def primary_subtag(tag: str) -> str:
    """The language of a BCP 47 tag, without script, region and the like."""
    return tag.replace("_", "-").partition("-")[0].lower()


def whisper_code(tag: str) -> str:
    """Whisper's code of a BCP 47 tag's language."""
    subtag = primary_subtag(tag)
    return _TO_WHISPER.get(subtag, subtag)


def tag_of(code: str) -> str:
    """The BCP 47 tag of Whisper's code."""
    return _FROM_WHISPER.get(code, code)


def main_language(clips: Sequence[Stretch], codes: Sequence[str]) -> str:
    """The code of the longest part of the clips."""
    return _heaviest(codes, [end - start for start, end in clips])


def clip_languages(clips: Sequence[Stretch], detected: Sequence[tuple[str, float]]) -> list[str]:
    """A code for each clip: what was detected where that is sure, else the likeliest over all.

    `detected` has a code and its probability per clip.
    """
    codes = [code for code, _ in detected]
    weights = [p * (end - start) for (start, end), (_, p) in zip(clips, detected, strict=True)]
    overall = _heaviest(codes, weights)
    return [code if probability >= _SURE else overall for code, probability in detected]


def _heaviest(codes: Sequence[str], weights: Sequence[float]) -> str:
    sums: dict[str, float] = defaultdict(float)
    for code, weight in zip(codes, weights, strict=True):
        sums[code] += weight
    return max(sums, key=lambda code: sums[code])
