"""`voxmesh cancel`: a job that is not wanted any more."""

from __future__ import annotations

import asyncio

from rich.console import Console

from services.cli.exits import SUCCESS
from services.cli.submit import connected
from services.runtime.client import Client
from services.runtime.ended_jobs import CANCELLED
from services.runtime.errors import BadInputError, TransientError
from voxmesh_schemas import JobCompleted, JobFailed

ANSWER_WITHIN_S = 60


def cancel(job_id: str, broker: str) -> int:
    """Call a job off; returns when it has ended.

    Raises:
        BadInputError: when it had ended before.
        TransientError: when no service answers.
    """
    ended = asyncio.run(_ended(job_id, broker))
    if isinstance(ended, JobCompleted) or ended.reason != CANCELLED:
        how = "completed" if isinstance(ended, JobCompleted) else f"failed: {ended.reason}"
        raise BadInputError(f"the job {job_id} has ended already: {how}")
    Console().print(f"{job_id}: cancelled")
    return SUCCESS


async def _ended(job_id: str, broker: str) -> JobCompleted | JobFailed:
    async with connected(broker) as client:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await client.outcome(job_id) or await _called_off(client, job_id)
        except TimeoutError as error:
            raise TransientError(
                f"no merge service answers within {ANSWER_WITHIN_S} s; the job ends when one runs"
            ) from error


async def _called_off(client: Client, job_id: str) -> JobCompleted | JobFailed:
    async with client.watching() as events:
        await client.cancel(job_id)
        async for event in events:
            if event.job_id == job_id and isinstance(event, JobCompleted | JobFailed):
                return event
    raise TransientError("the broker tells nothing more")
