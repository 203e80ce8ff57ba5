"""The pieces that cues are set from: words, or parts of words that no line could hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

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
from voxmesh_schemas import Word


@dataclass(frozen=True, slots=True)
class Unit:
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
    return [replace(unit, break_after=Break.GLUED) for unit in word_units(words, line_cells)]


def _pieces(word: Word, line_cells: int) -> Iterator[Unit]:
    texts = list(_texts(word.text, line_cells))
    widths = [cells(text) for text, _ in texts]
    total, done = max(1, sum(widths)), 0
    for (text, spaced), width in zip(texts, widths, strict=True):
        start = word.start_ms + word.duration_ms * done // total
        done += width
        end = word.start_ms + word.duration_ms * done // total
        yield Unit(text, start, end, width, spaced)


def _texts(text: str, line_cells: int) -> Iterator[tuple[str, bool]]:
    """Pieces no wider than a line, and whether a space may stand before each."""
    for part in visible(text).split(" "):
        if cells(part) <= line_cells:
            if not is_blank(part):
                yield part, True
            continue
        for word in part.split():
            for index, piece in enumerate(_split(word, line_cells)):
                yield piece, index == 0


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
    joined = []
    for index, unit in enumerate(units):
        before = units[index - 1] if index else None
        spaced = unit.spaced and before is not None and is_spaced(before.text, unit.text)
        joined.append(replace(unit, spaced=spaced))
    for index, (unit, following) in enumerate(pairwise(joined)):
        if unit.break_after is not Break.GLUED:
            kind = break_between(unit.text, following.text, words, spaced=following.spaced)
            joined[index] = replace(unit, break_after=kind)
    return joined


def in_order(units: Iterable[Unit], not_before_ms: int) -> list[Unit]:
    """The units with starts that never fall, and ends that never pass the next start."""
    ordered: list[Unit] = []
    for unit in units:
        start = max(unit.start_ms, not_before_ms)
        if ordered and ordered[-1].end_ms > start:
            ordered[-1] = replace(ordered[-1], end_ms=start)
        ordered.append(replace(unit, start_ms=start, end_ms=max(start, unit.end_ms)))
        not_before_ms = start
    return ordered


def text_of(units: Sequence[Unit]) -> str:
    """The units as one line."""
    rest = "".join(" " + unit.text if unit.spaced else unit.text for unit in units[1:])
    return units[0].text + rest if units else ""
