"""Results, failures and the manifest in; progress and, once all are in, the Transcript out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from services.merge.agenda import Agenda, Task
from services.merge.deadline import manifest_so_far, with_missing, with_notice
from services.merge.ledger import MEDIA_TYPE, Ledger, State
from services.merge.loading import load
from services.merge.material import Material
from services.merge.merging import engine_uses, merge
from services.merge.slots import Receipt, Slot, slot_of
from services.runtime.artifacts import Artifacts
from services.runtime.client import keep_outcome
from services.runtime.ended_jobs import CANCELLED, EndedJobs
from services.runtime.errors import PermanentError, VoxmeshError
from services.runtime.results import Results
from voxmesh_schemas import (
    AudioIngested,
    EngineUse,
    Event,
    JobCancelled,
    JobFailed,
    JobProgressed,
    JobRequested,
    Stage,
    StageFailed,
    TranscriptMerged,
)

log = structlog.get_logger(__name__)

REVISE_AFTER_S = 2.0
"""Of a batch of replayed dead letters not each one makes a revision of its own."""
SWEEP_AFTER_S = 60.0


@dataclass(frozen=True)
class MergeHandler:
    """Accounts for every slot of a job's plan, and merges once when all are filled.

    A job that ended with losses stays mendable for `mendable_s`: what comes in then makes a new
    revision of the Transcript.
    """

    artifacts: Artifacts
    results: Results
    ledger: Ledger
    agenda: Agenda
    ended: EndedJobs
    mendable_s: float

    async def on_job_requested(self, event: JobRequested) -> AsyncIterator[Event]:
        """Note the job's deadline, if it has one."""
        if event.options.deadline_s and await self.ledger.state(event.job_id) is State.RUNNING:
            await self.ledger.keep_request(event)
            in_s = event.options.deadline_s
            await self.agenda.note(Task.DEADLINE, event.job_id, in_s=in_s)
        return
        yield

    async def on_job_cancelled(self, event: JobCancelled) -> AsyncIterator[Event]:
        """End a job that is still running, and have all services stop working on it."""
        async with self.results.lease(f"merge/{event.job_id}"):
            if await self.ledger.state(event.job_id) is not State.RUNNING:
                return
            yield JobFailed(job_id=event.job_id, stage=Stage.MERGE, reason=CANCELLED)
            await self._stop(event.job_id)

    async def on_audio_ingested(self, event: AudioIngested) -> AsyncIterator[Event]:
        """Keep the manifest; its results may all be here before it."""
        merged = await self.ledger.merged(event.job_id)
        state = await self.ledger.state(event.job_id)
        if state is State.CLOSED or (merged and state is State.MENDABLE):
            # Someone asks again for a job that has ended: perhaps its captions were not written.
            if merged:
                yield merged
            return
        await self.ledger.keep_manifest(event)
        async for told in self._merge_when_complete(event):
            yield told

    async def on_receipt(self, event: Receipt) -> AsyncIterator[Event]:
        """Account for a result or a failure."""
        state = await self.ledger.state(event.job_id)
        if state is State.CLOSED:
            return
        done = await self.ledger.enter(event)
        if state is State.MENDABLE:
            if isinstance(event, StageFailed):
                return
            in_s = REVISE_AFTER_S
            await self.agenda.note(Task.REVISE, event.job_id, in_s=in_s, together_s=in_s)
            return
        manifest = await self.ledger.manifest(event.job_id)
        yield _progress(event, done, manifest)
        if manifest:
            async for told in self._merge_when_complete(manifest):
                yield told

    async def on_job_failed(self, event: JobFailed) -> AsyncIterator[Event]:
        """Keep why a job was given up, and end it."""
        await keep_outcome(self.artifacts, event)
        if event.bad_input or not self.mendable_s:
            await self.ended.add(event.job_id)
        await self._end(event.job_id, mendable=not event.bad_input)
        return
        yield

    async def end_overdue(self) -> AsyncIterator[Event]:
        """End the jobs whose deadline has passed, with what there is."""
        for entry in await self.agenda.due(Task.DEADLINE):
            async with self.results.lease(f"merge/{entry.job_id}"):
                if await self.ledger.state(entry.job_id) is State.RUNNING:
                    yield await self._overdue(entry.job_id)
                    await self._stop(entry.job_id)
            await self.agenda.done(entry)

    async def revise(self) -> AsyncIterator[Event]:
        """Merge again the jobs of which more is there than at the last time."""
        for entry in await self.agenda.due(Task.REVISE):
            try:
                manifest = await self.ledger.manifest(entry.job_id)
                if manifest:
                    async for told in self._merge_when_complete(manifest):
                        yield told
            except PermanentError:
                log.exception("a job could not be merged again", job=entry.job_id)
            await self.agenda.done(entry)

    async def sweep(self) -> AsyncIterator[Event]:
        """Close the jobs that nobody has mended in time."""
        for entry in await self.agenda.due(Task.SWEEP):
            await self.ledger.close(entry.job_id)
            await self.agenda.done(entry)
        return
        yield

    async def _merge_when_complete(self, manifest: AudioIngested) -> AsyncIterator[Event]:
        receipts = await self.ledger.receipts(manifest)
        if receipts is None:
            return
        async with self.results.lease(f"merge/{manifest.job_id}"):
            state = await self.ledger.state(manifest.job_id)
            if state is State.CLOSED:
                return
            outcome = await self._outcome(manifest, receipts, state)
            if outcome is None:
                return
            yield outcome
            lost = any(isinstance(receipt, StageFailed) for receipt in receipts.values())
            await self._end(manifest.job_id, mendable=lost)

    async def _stop(self, job_id: str) -> None:
        """Close a job on which services are still at work."""
        await self.ended.add(job_id)
        await self.ledger.close(job_id)
        # What they were just about to store is left behind.
        await self.agenda.note(Task.SWEEP, job_id, in_s=SWEEP_AFTER_S)

    async def _overdue(self, job_id: str) -> TranscriptMerged | JobFailed:
        if last := await self.ledger.merged(job_id):
            return last  # made, but perhaps not told
        receipts = await self.ledger.receipts_so_far(job_id)
        whole = await self.ledger.manifest(job_id)
        request = await self.ledger.request(job_id)
        manifest = whole or (request and manifest_so_far(request, receipts))
        if manifest:
            filled = with_missing(manifest, receipts)
            told = with_notice(manifest, filled, whole=whole is not None)
            material = await load(self.artifacts, told, filled)
            if material.hypotheses:
                return await self._merged(material, engine_uses(manifest, filled), 1)
        reason = "the deadline passed before anything was transcribed"
        return JobFailed(job_id=job_id, stage=Stage.TRANSCRIBE, reason=reason)

    async def _end(self, job_id: str, *, mendable: bool) -> None:
        if not mendable or not self.mendable_s:
            await self.ledger.close(job_id)
        elif await self.ledger.state(job_id) is State.RUNNING:
            await self.agenda.note(Task.SWEEP, job_id, in_s=self.mendable_s)
            await self.ledger.end(job_id)

    async def _outcome(
        self, manifest: AudioIngested, receipts: dict[Slot, Receipt], state: State
    ) -> TranscriptMerged | JobFailed | None:
        """What to tell: the next revision, or nothing when it would be the same as the last."""
        uses = engine_uses(manifest, receipts)
        last = await self.ledger.merged(manifest.job_id)
        if last and state is State.RUNNING:
            return last  # made, but perhaps not told
        if last and _losses(last.engines) <= _losses(uses):
            return None
        material = await load(self.artifacts, manifest, receipts)
        if not material.hypotheses:
            return None if state is State.MENDABLE else _nothing_transcribed(material)
        return await self._merged(material, uses, last.revision + 1 if last else 1)

    async def _merged(
        self, material: Material, uses: tuple[EngineUse, ...], revision: int
    ) -> TranscriptMerged:
        manifest = material.manifest
        created_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        transcript = await asyncio.to_thread(merge, material, created_at=created_at)
        name = "transcript" if revision == 1 else f"transcript.{revision}"
        artifact = await self.artifacts.put_new(
            f"jobs/{manifest.job_id}/{name}.json",
            transcript.model_dump_json().encode(),
            MEDIA_TYPE,
        )
        merged = TranscriptMerged(
            job_id=manifest.job_id,
            artifact=artifact,
            options=manifest.options,
            engines=uses,
            revision=revision,
        )
        return await self.ledger.keep_merged(merged)


def _losses(uses: Iterable[EngineUse]) -> int:
    return sum(use.failed for use in uses)


def _nothing_transcribed(material: Material) -> JobFailed:
    losses = material.losses.values()
    first = next(loss for loss in losses if loss.stage is Stage.TRANSCRIBE)
    return JobFailed(
        job_id=material.manifest.job_id,
        stage=Stage.TRANSCRIBE,
        reason=f"nothing could be transcribed: {first.engine}: {first.reason}",
    )


def _progress(receipt: Receipt, done: int, manifest: AudioIngested | None) -> JobProgressed:
    stage = slot_of(receipt).stage
    total = len(manifest.chunks) * len(manifest.plan.of(stage)) if manifest else None
    return JobProgressed(job_id=receipt.job_id, stage=stage, done=done, total=total)


def on_failure(event: Event, error: VoxmeshError) -> Iterator[Event]:
    """A job whose results cannot be put together has failed."""
    if not isinstance(event, JobFailed):
        yield JobFailed(job_id=event.job_id, stage=Stage.MERGE, reason=str(error))
