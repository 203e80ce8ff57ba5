"""What a service is: which events it handles, and what it says when it cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.runtime.errors import VoxmeshError
from services.runtime.status import Look
from voxmesh_schemas import Event, Stage

Handler = Callable[[Any], AsyncIterator[Event]]
"""Takes an event of one type and yields the events that follow from it, as they come true.

It may be called again with the same event, at any time and anywhere, and must then yield the same
facts. It raises errors of `services.runtime.errors`; anything else is a bug.
"""

Chore = Callable[[], AsyncIterator[Event]]
"""What a service does from time to time, in every process of it; tells events as a handler does."""

OnFailure = Callable[[Event, VoxmeshError], Iterable[Event]]
"""What to tell the mesh when an event could finally not be handled."""


@dataclass(frozen=True)
class Service:
    """One service, wired and ready to run on any mesh."""

    name: str
    """Its consumer group, too."""
    handlers: Mapping[type[Event], Handler]
    on_failure: OnFailure
    concurrency: int
    """Events in work at once in one process."""
    drops_ended_jobs: bool = False
    """Work on a job that was called off, or has ended already, is dropped."""
    chores: Mapping[Chore, float] = field(default_factory=dict)
    """How many seconds lie between two times."""
    engines: Mapping[Stage, Look] = field(default_factory=dict)
    """Finds out what engines it can run here and now, the preferred ones first."""
