"""How programs use the mesh: ask for a job, watch it, fetch what it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.runtime.artifacts import Artifacts
from services.runtime.bus import Bus, Message
from services.runtime.envelope import to_event, to_message
from services.runtime.errors import PermanentError
from voxmesh_schemas import (
    EVENTS,
    Event,
    JobCancelled,
    JobCompleted,
    JobFailed,
    JobRequested,
    Output,
    Source,
    Transcript,
)

MEDIA_TYPE = "application/json"


class Client:
    """A user of the mesh."""

    def __init__(self, bus: Bus, artifacts: Artifacts) -> None:
        self._bus = bus
        self._artifacts = artifacts

    async def submit(self, request: JobRequested) -> None:
        """Ask for a job; returns when the broker has the request."""
        await self._bus.publish(to_message(request, producer="client"))

    async def cancel(self, job_id: str) -> None:
        """Call a job off; returns when the broker knows."""
        await self._bus.publish(to_message(JobCancelled(job_id=job_id), producer="client"))

    async def upload(self, job_id: str, path: Path) -> Source:
        """Put a file where the mesh can read it, and say where."""
        with path.open("rb") as file:
            artifact = await self._artifacts.put_file(
                f"jobs/{job_id}/source/recording", file, "application/octet-stream"
            )
        return Source(uri=artifact.uri, name=path.name)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[AsyncIterator[Event]]:
        """Every event of every job from now on."""
        async with self._bus.follow([t for event in EVENTS for t in event.topics()]) as messages:
            yield _events(messages)

    async def outcome(self, job_id: str) -> JobCompleted | JobFailed | None:
        """How a job has ended, or None while it has not; a failed one may be completed since."""
        return await kept_outcome(self._artifacts, job_id)

    async def transcript(self, completed: JobCompleted) -> Transcript:
        """The Transcript of a job."""
        return Transcript.model_validate_json(await self._artifacts.get(completed.transcript))

    async def fetch(self, output: Output, folder: Path) -> Path:
        """Write one of a job's files into a folder, whole or not at all."""
        data = await self._artifacts.get(output.artifact)
        return await asyncio.to_thread(_write, folder / output.name, data)


def _write(target: Path, data: bytes) -> Path:
    beside = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise PermanentError(f"cannot write {target}: {error.strerror}") from error
    return target


async def keep_outcome(artifacts: Artifacts, outcome: JobCompleted | JobFailed) -> None:
    """Keep how a job ended, for those who ask later; the latest revision stays."""
    name = "completed" if isinstance(outcome, JobCompleted) else "failed"
    path = f"jobs/{outcome.job_id}/{name}.json"
    if isinstance(outcome, JobCompleted) and outcome.revision > 1:
        kept = await artifacts.read(path)
        if kept and JobCompleted.model_validate_json(kept).revision > outcome.revision:
            return
    await artifacts.put(path, outcome.model_dump_json().encode(), MEDIA_TYPE)


async def kept_outcome(artifacts: Artifacts, job_id: str) -> JobCompleted | JobFailed | None:
    """How a job has ended, or None while it has not."""
    for name, model in (("completed", JobCompleted), ("failed", JobFailed)):
        data = await artifacts.read(f"jobs/{job_id}/{name}.json")
        if data:
            return model.model_validate_json(data)
    return None


async def _events(messages: AsyncIterator[Message]) -> AsyncIterator[Event]:
    async for message in messages:
        try:
            yield to_event(message)
        except PermanentError:
            continue  # the service that it was for has it dead-lettered
