"""Spans of words put in order: starts never fall and neighbours do not overlap."""

from __future__ import annotations

from collections.abc import Iterable

Times = tuple[int, int]
"""Start and end in milliseconds."""


def without_overlaps(spans: Iterable[Times]) -> list[Times]:
    """The same spans, parted in the middle of where two neighbours overlap."""
    parted: list[Times] = []
    for start, end in spans:
        if parted and start < parted[-1][1]:
            last_start, last_end = parted[-1]
            start = max((start + last_end) // 2, last_start)
            parted[-1] = (last_start, start)
        parted.append((start, max(start, end)))
    return parted


def filled(spans: Iterable[Times | None]) -> list[Times]:
    """The same spans, unknown ones spread evenly between the known ones around them.

    Before the first and after the last known span, and where none is known, they take no time.
    """
    spans = list(spans)
    known = [index for index, span in enumerate(spans) if span is not None]
    result: list[Times] = []
    for left, right in zip([-1, *known], [*known, len(spans)], strict=True):
        before = spans[left] if left >= 0 else None
        after = spans[right] if right < len(spans) else None
        if before is not None:
            result.append(before)
        start = before[1] if before else after[0] if after else 0
        end = max(start, after[0]) if after else start
        missing = right - left - 1
        marks = [start + (end - start) * k // max(missing, 1) for k in range(missing + 1)]
        result += [(marks[k], marks[k + 1]) for k in range(missing)]
    return result
