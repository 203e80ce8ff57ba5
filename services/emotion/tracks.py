"""From windows to the windows of an `EmotionTrack`: what every engine that classifies does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.emotion.labels import Distribution
from voxmesh_schemas import EmotionWindow

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class Window(Generic[Content]):
    """A stretch of a chunk, in milliseconds from its start, and what there is to judge in it."""

    start_ms: int
    end_ms: int
    content: Content | None
    """Samples or text; None where there is nothing to judge."""


def classified(
    windows: Sequence[Window[Content]],
    classify: Callable[[list[Content]], Iterable[Distribution | None]],
) -> tuple[EmotionWindow, ...]:
    """Every window with its distribution; `classify` gets only what there is to judge, in order."""
    contents = [window.content for window in windows if window.content is not None]
    judged = iter(classify(contents) if contents else ())
    return tuple(
        EmotionWindow(
            start_ms=window.start_ms,
            end_ms=window.end_ms,
            probabilities=None if window.content is None else next(judged),
        )
        for window in windows
    )
