"""How far ingest may be ahead of the engines, so that no job fills all queues."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from services.runtime.artifacts import Artifacts
from voxmesh_schemas import Plan

LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class Admission:
    """Holds a job back while too many of its chunks wait for results."""

    artifacts: Artifacts
    limit: int
    """Chunks of a job in flight."""

    async def room(self, job_id: str, plan: Plan, published: int) -> int:
        """How many chunks may be published before asking again, after so many are.

        Waits until half of what may be in flight has come back, so that receipts are seldom listed.
        """
        if published < self.limit:
            return self.limit - published
        while True:
            in_flight = published - await self._accounted(job_id, plan)
            if in_flight <= self.limit // 2:
                return self.limit - in_flight
            await asyncio.sleep(LOOK_EVERY_S)

    async def _accounted(self, job_id: str, plan: Plan) -> int:
        """Chunks that every engine of the plan has a result or a failure for."""
        folder = f"jobs/{job_id}/receipts/"
        slots = {path.rsplit("/", 1)[1] for path in await self.artifacts.list(folder)}
        by_chunk = Counter(slot.partition(".")[0] for slot in slots)
        return sum(count >= len(plan.engines) for count in by_chunk.values())
