"""From the documents of ttconv, which knows TTML and SCC in full, to captions."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from services.runtime.errors import BadInputError
from services.subtitles.checking import Caption

FOREVER_MS = 24 * 3600 * 1000
"""When a caption ends that says no end."""


def need_ttconv() -> None:
    """Raises `BadInputError` where ttconv is missing."""
    if importlib.util.find_spec("ttconv") is None:
        raise BadInputError("to read this format, first: pip install 'voxmesh[subtitles]'")


@contextmanager
def by_ttconv() -> Iterator[None]:
    """Turns whatever ttconv stumbles over in a damaged file into a `ValueError`."""
    try:
        yield
    except Exception as error:
        raise ValueError(f"ttconv stumbles over it ({type(error).__name__}: {error})") from error


def captions_of(document: Any) -> list[Caption]:  # noqa: ANN401 - ttconv has no types
    """The paragraphs of a document that is timed and placed, in order of their beginning."""
    body = document.get_body()
    found = [] if body is None else list(_paragraphs(body, Fraction(0), None, ""))
    return sorted(found, key=lambda caption: caption.start_ms)


def _paragraphs(
    element: Any,  # noqa: ANN401 - as above
    begin: Fraction,
    end: Fraction | None,
    place: str,
) -> Iterator[Caption]:
    start = begin + (element.get_begin() or 0)
    last = end if element.get_end() is None else begin + element.get_end()
    # ttconv 1.2 ends a body that has a beginning, and no end of its own, too early.
    if last is not None and end is not None and end > start:
        last = min(last, end)
    region = element.get_region()
    place = place if region is None else str(region.get_id())
    if type(element).__name__ == "P":
        text = "".join(_text(element))
        last_ms = FOREVER_MS if last is None else round(last * 1000)
        yield Caption(round(start * 1000), last_ms, tuple(text.split("\n")), place)
        return
    for child in element:
        yield from _paragraphs(child, start, last, place)


def _text(element: Any) -> Iterator[str]:  # noqa: ANN401 - as above
    for child in element:
        match type(child).__name__:
            case "Text":
                yield child.get_text()
            case "Br":
                yield "\n"
            case _:
                yield from _text(child)
