"""Which spans of one sequence overlap which of another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol


class Timed(Protocol):
    """Anything with a start and an end, end exclusive."""

    @property
    def start_ms(self) -> int:
        """First instant, in milliseconds."""

    @property
    def end_ms(self) -> int:
        """First instant after it, in milliseconds."""


def overlaps(spans: Sequence[Timed], others: Sequence[Timed]) -> Iterator[list[tuple[int, int]]]:
    """For each span, the others it overlaps: pairs of index and shared milliseconds.

    Both sequences in order of start. Linear in their lengths, as long as few of them overlap at
    once. A span without length counts as one millisecond.
    """
    active: list[int] = []
    upcoming = 0
    for span in spans:
        start, end = span.start_ms, max(span.end_ms, span.start_ms + 1)
        while upcoming < len(others) and others[upcoming].start_ms < end:
            active.append(upcoming)
            upcoming += 1
        active = [index for index in active if others[index].end_ms > start]
        yield [
            (index, shared)
            for index in active
            if (shared := min(end, others[index].end_ms) - max(start, others[index].start_ms)) > 0
        ]
