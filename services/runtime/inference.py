"""One engine on one chunk: found, computed or finally lost. Written once for all stages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError

from services.runtime.artifacts import Artifacts
from services.runtime.breaker import Breakers
from services.runtime.engines import Parameters
from services.runtime.errors import ExhaustedError, PermanentError, TransientError, VoxmeshError
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
    breakers: Breakers

    async def compute(
        self,
        planned: PlannedEngine,
        source: ArtifactRef,
        parameters: Parameters,
        infer: Callable[[bytes], bytes],
        *,
        record: type[Record],
        pool: str,
        salt: str = "",
    ) -> Computed:
        """The result of one engine on one artifact.

        `infer` runs in a worker process: it is picklable, takes the artifact's bytes and returns
        the result's, a `record` in JSON. Results of another `salt` are not found.

        Raises:
            TransientError: when all tries failed.
            PermanentError: when the engine cannot do it.
        """
        recipe = Recipe(
            planned.stage, planned.engine, planned.model, parameters, source.sha256, salt
        )

        async def attempt() -> bytes:
            data = await self.artifacts.get(source)
            breaker = self.breakers.of(planned.stage, planned.engine)
            with breaker.guarding(), inference_span(planned):
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


Failures = Sequence[tuple[PlannedEngine, VoxmeshError]]
"""The engines that failed on a chunk, and why."""


class UnfinishedError(ExhaustedError):
    """Some engines are not done with a chunk and may be another time."""

    def __init__(self, failures: Failures) -> None:
        waits = [e.retry_after_s for _, e in failures if isinstance(e, TransientError)]
        super().__init__(
            _sentence(failures), retry_after_s=max((w for w in waits if w), default=None)
        )
        self.failures = failures


class LostError(PermanentError):
    """Some engines are finally lost for a chunk."""

    def __init__(self, failures: Failures) -> None:
        super().__init__(_sentence(failures))
        self.failures = failures


def failures_of(error: VoxmeshError, engines: Iterable[PlannedEngine]) -> Failures:
    """Which of the engines an event's failure is the failure of; all, when it is of none."""
    if isinstance(error, UnfinishedError | LostError):
        return error.failures
    return [(planned, error) for planned in engines]


def _sentence(failures: Failures) -> str:
    return "; ".join(f"{planned.engine}: {error}" for planned, error in failures)


async def as_they_come(
    works: Mapping[PlannedEngine, Coroutine[Any, Any, Event]],
) -> AsyncIterator[Event]:
    """What each engine tells, as soon as it is done. Those that fail hold up no other.

    Raises:
        UnfinishedError: at the end, when an engine failed that may do better another time.
        LostError: at the end, when engines failed and none of them may.
    """
    failures: list[tuple[PlannedEngine, VoxmeshError]] = []

    async def tried(planned: PlannedEngine, work: Coroutine[Any, Any, Event]) -> Event | None:
        try:
            return await work
        except VoxmeshError as error:
            failures.append((planned, error))
            return None

    tasks = [asyncio.create_task(tried(planned, work)) for planned, work in works.items()]
    try:
        for task in asyncio.as_completed(tasks):
            if event := await task:
                yield event
    finally:
        for task in tasks:
            task.cancel()
    if any(isinstance(error, TransientError) for _, error in failures):
        raise UnfinishedError(failures)
    if failures:
        raise LostError(failures)
