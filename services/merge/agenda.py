"""What merge is to do about jobs at a time to come.

Kept in the object store, so that it outlives every process: an empty artifact whose name says what,
when and about which job.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum

from services.runtime.artifacts import Artifacts


class Task(StrEnum):
    """What there is to do."""

    DEADLINE = "deadline"
    """End the job with what there is."""
    REVISE = "revise"
    """Merge again, as more is there than at the last time."""
    SWEEP = "sweep"
    """Remove what is left of a job."""


@dataclass(frozen=True)
class Entry:
    """A task about a job."""

    path: str
    job_id: str


class Agenda:
    """The tasks of all jobs of a mesh."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    async def note(
        self, task: Task, job_id: str, *, in_s: float, together_s: float = 0.001
    ) -> None:
        """Have something done; what comes due within `together_s` is noted once."""
        step_ms = round(together_s * 1000)
        due_ms = -(-round((time.time() + in_s) * 1000) // step_ms) * step_ms
        await self._artifacts.put(f"agenda/{task}/{due_ms:015d}.{job_id}", b"", "text/plain")

    async def due(self, task: Task) -> list[Entry]:
        """What is to be done now, the oldest first."""
        paths = await self._artifacts.list(f"agenda/{task}/")
        entries = [(path.rsplit("/", 1)[1].partition("."), path) for path in paths]
        now_ms = time.time() * 1000
        return [Entry(path, job) for (due, _, job), path in entries if int(due) <= now_ms]

    async def done(self, entry: Entry) -> None:
        """It need not be done again."""
        await self._artifacts.delete(entry.path)
