"""From what a recogniser says to words that keep the contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from services.runtime.audio import SAMPLE_RATE_HZ, Samples
from voxmesh_schemas import HypothesisWord


@dataclass(frozen=True)
class Heard:
    """A word as an engine gives it: times may be out of order or outside of the chunk."""

    text: str
    start_ms: float
    end_ms: float
    confidence: float | None
    language: str | None = None


def duration_ms(samples: Samples) -> int:
    """Length of a chunk, in whole milliseconds that it fills."""
    return len(samples) * 1000 // SAMPLE_RATE_HZ


def joined(pieces: Iterable[Heard]) -> Iterator[Heard]:
    """Words of pieces of text: one that begins without a space belongs to the piece before it.

    Such are the halves of hyphenated words and signs like %. A word is as sure as its least sure
    piece.
    """
    word: Heard | None = None
    for piece in pieces:
        if word is None:
            word = piece
        elif piece.text[:1].isspace():
            yield word
            word = piece
        else:
            word = replace(
                word,
                text=word.text + piece.text,
                end_ms=piece.end_ms,
                confidence=_least(word.confidence, piece.confidence),
            )
    if word is not None:
        yield word


def in_order(heard: Iterable[Heard], within_ms: int) -> tuple[HypothesisWord, ...]:
    """Words in the order they were heard, none before the end of another or outside the chunk.

    Blank ones are left out. One voice at a time is what recognisers hear, so a word that seems to
    begin before its predecessor ends has a wrong time, and begins there instead.
    """
    words: list[HypothesisWord] = []
    earliest_ms = 0
    for word in heard:
        if not word.text.strip():
            continue
        start_ms = min(max(round(word.start_ms), earliest_ms), within_ms)
        end_ms = min(max(round(word.end_ms), start_ms), within_ms)
        words.append(
            HypothesisWord(
                text=word.text.strip(),
                start_ms=start_ms,
                end_ms=end_ms,
                confidence=_probability(word.confidence),
                language=word.language,
            )
        )
        earliest_ms = end_ms
    return tuple(words)


def _probability(value: float | None) -> float | None:
    return None if value is None else min(max(float(value), 0.0), 1.0)


def _least(one: float | None, other: float | None) -> float | None:
    return min((value for value in (one, other) if value is not None), default=None)
