"""One engine on one chunk: found, computed or finally lost. Written once for all stages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError

from services.runtime.artifacts import Artifacts
from services.runtime.engines import Parameters
from services.runtime.errors import PermanentError, TransientError, VoxmeshError
from services.runtime.results import Computed, Recipe, Results
from services.runtime.retry import RetryPolicy
from services.runtime.telemetry import inference_span
from services.runtime.workers import Workers
from voxmesh_schemas import ArtifactRef, Event, PlannedEngine, Record, StageFailed

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Inference:
    """What a stage needs to run its engines."""

    artifacts: Artifacts
    results: Results
    workers: Workers
    retry: RetryPolicy

    async def compute(
        self,
        planned: PlannedEngine,
        source: ArtifactRef,
        parameters: Parameters,
        infer: Callable[[bytes], bytes],
        *,
        record: type[Record],
        pool: str,
    ) -> Computed:
        """The result of one engine on one artifact.

        `infer` runs in a worker process: it is picklable, takes the artifact's bytes and returns
        the result's, a `record` in JSON.

        Raises:
            TransientError: when all tries failed.
            PermanentError: when the engine cannot do it.
        """
        recipe = Recipe(planned.stage, planned.engine, planned.model, parameters, source.sha256)

        async def attempt() -> bytes:
            data = await self.artifacts.get(source)
            with inference_span(planned):
                result = await self._guarded(planned, infer, data, pool)
            _check(planned, record, result)
            return result

        return await self.retry.run(lambda: self.results.get_or_compute(recipe, attempt))

    async def _guarded(
        self, planned: PlannedEngine, infer: Callable[[bytes], bytes], data: bytes, pool: str
    ) -> bytes:
        try:
            return await self.workers.run(infer, data, pool=pool)
        except VoxmeshError:
            raise
        except Exception as error:
            # A bug in an engine loses its chunk, never the worker.
            log.exception("an engine broke", engine=planned.engine, stage=planned.stage)
            raise PermanentError(
                f"the engine {planned.engine} broke on this chunk ({type(error).__name__})"
            ) from error


def _check(planned: PlannedEngine, record: type[Record], result: bytes) -> None:
    """Let nothing into the store that merge could not read.

    Raises:
        PermanentError: when an engine returned something else than its stage's result.
    """
    try:
        record.model_validate_json(result)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "all of it"
        raise PermanentError(
            f"the engine {planned.engine} returned no {record.__name__} ({where} is wrong)"
        ) from error


def lost(job_id: str, chunk_index: int, planned: PlannedEngine, error: Exception) -> StageFailed:
    """The event that says an engine has given up on a chunk."""
    return StageFailed(
        job_id=job_id,
        stage=planned.stage,
        engine=planned.engine,
        chunk_index=chunk_index,
        reason=str(error),
    )


GIVEN_UP = (TransientError, PermanentError)
"""What `Inference.compute` raises when an engine is finally lost for a chunk."""


async def as_they_come(
    works: Iterable[Coroutine[Any, Any, list[Event]]],
) -> AsyncIterator[Event]:
    """The events of several engines, each as soon as its engine is done."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        for task in asyncio.as_completed(tasks):
            for event in await task:
                yield event
    finally:
        for task in tasks:
            task.cancel()
