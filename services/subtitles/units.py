"""The pieces that cues are set from: words, or parts of words that no line could hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from services.subtitles.breaks import Break, break_between
from services.subtitles.function_words import FunctionWords
from services.subtitles.graphemes import (
    cells,
    graphemes,
    is_blank,
    is_spaced,
    is_unspaced,
    visible,
)
from services.subtitles.thai import is_thai, thai_words
from voxmesh_schemas import Word


class Unit(NamedTuple):
    """What is never broken further."""

    text: str
    start_ms: int
    end_ms: int
    cells: int
    spaced: bool = False
    """Whether a space stands before it, unless it begins a line."""
    break_after: Break = Break.SENTENCE
    """The kind of break that would follow it."""


def word_units(words: Iterable[Word], line_cells: int) -> list[Unit]:
    """The visible pieces of words; a long one's time is shared out by width."""
    return [unit for word in words for unit in _pieces(word, line_cells)]


def label_units(labels: Iterable[str], at_ms: int, line_cells: int) -> list[Unit]:
    """Names and notes that stand before the first word and take no time."""
    words = (Word(text=label, start_ms=at_ms, end_ms=at_ms) for label in labels)
    return [unit._replace(break_after=Break.GLUED) for unit in word_units(words, line_cells)]


def _pieces(word: Word, line_cells: int) -> Iterator[Unit]:
    text = word.text
    if text.isascii() and text.isprintable() and " " not in text and len(text) <= line_cells:
        # Most words of most transcripts are one unit as they are.
        yield Unit(text, word.start_ms, word.end_ms, len(text), spaced=True)
        return
    texts = list(_texts(text, line_cells))
    widths = [max(1, cells(text)) for text, _ in texts]
    total, done = max(1, sum(widths)), 0
    for (text, spaced), width in zip(texts, widths, strict=True):
        start = word.start_ms + word.duration_ms * done // total
        done += width
        end = word.start_ms + word.duration_ms * done // total
        yield Unit(text, start, end, width, spaced)


def _texts(text: str, line_cells: int) -> Iterator[tuple[str, bool]]:
    """Pieces no wider than a line, and whether a space may stand before each."""
    for part in visible(text).split(" "):
        if is_thai(part):
            pieces = (one for word in thai_words(part) for one in _split_wide(word, line_cells))
            yield from ((piece, at == 0) for at, piece in enumerate(pieces))
            continue
        if cells(part) <= line_cells:
            if not is_blank(part):
                yield part, True
            continue
        for word in part.split():
            for index, piece in enumerate(_split(word, line_cells)):
                yield piece, index == 0


def _split_wide(word: str, line_cells: int) -> Iterator[str]:
    return iter((word,)) if cells(word) <= line_cells else _split(word, line_cells)


def _split(word: str, line_cells: int) -> Iterator[str]:
    """A long word in pieces: single characters where a script has no spaces, else full lines."""
    piece, width = "", 0
    for cluster in graphemes(word):
        cluster_cells = cells(cluster)
        is_open = width + cluster_cells <= line_cells and not is_unspaced(cluster[0])
        if piece and not (is_open and not is_unspaced(piece[-1])):
            yield piece
            piece, width = "", 0
        piece, width = piece + cluster, width + cluster_cells
    yield piece


def join(units: Sequence[Unit], words: FunctionWords) -> list[Unit]:
    """The units with the spaces and the breaks between them worked out."""
    joined: list[Unit] = []
    spaced = False
    for index, unit in enumerate(units):
        kind = unit.break_after
        follows_spaced = False
        if index + 1 < len(units):
            following = units[index + 1]
            follows_spaced = following.spaced and is_spaced(unit.text, following.text)
            if kind is not Break.GLUED:
                kind = break_between(unit.text, following.text, words, spaced=follows_spaced)
        joined.append(Unit(unit.text, unit.start_ms, unit.end_ms, unit.cells, spaced, kind))
        spaced = follows_spaced
    return joined


def in_order(units: Sequence[Unit], not_before_ms: int) -> list[Unit]:
    """The units, at least one, with starts that never fall, and ends that pass no start."""
    starts = list(accumulate((unit.start_ms for unit in units), max, initial=not_before_ms))[1:]
    latest = [*starts[1:], max(unit.end_ms for unit in units)]
    return [
        unit
        if unit.start_ms == start <= unit.end_ms <= last
        else unit._replace(start_ms=start, end_ms=max(start, min(unit.end_ms, last)))
        for unit, start, last in zip(units, starts, latest, strict=True)
    ]


def text_of(units: Sequence[Unit]) -> str:
    """The units as one line."""
    rest = "".join(" " + unit.text if unit.spaced else unit.text for unit in units[1:])
    return units[0].text + rest if units else ""
