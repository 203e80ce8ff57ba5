"""Results, failures and the manifest in; progress and, once all are in, the Transcript out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from services.merge.ledger import MEDIA_TYPE, Ledger
from services.merge.loading import load
from services.merge.merging import engine_uses, merge
from services.merge.slots import Receipt, Slot, slot_of
from services.runtime.artifacts import Artifacts
from services.runtime.client import keep_outcome
from services.runtime.errors import VoxmeshError
from services.runtime.results import Results
from voxmesh_schemas import (
    AudioIngested,
    Event,
    JobFailed,
    JobProgressed,
    Stage,
    TranscriptMerged,
)


@dataclass(frozen=True)
class MergeHandler:
    """Accounts for every slot of a job's plan, and merges once when all are filled."""

    artifacts: Artifacts
    results: Results
    ledger: Ledger

    async def on_audio_ingested(self, event: AudioIngested) -> AsyncIterator[Event]:
        """Keep the manifest; its results may all be here before it."""
        if await self.ledger.closed(event.job_id):
            # Someone asks again for a job that has ended: perhaps its captions were not written.
            if merged := await self.ledger.merged(event.job_id):
                yield merged
            return
        await self.ledger.keep_manifest(event)
        async for told in self._merge_when_complete(event):
            yield told

    async def on_receipt(self, event: Receipt) -> AsyncIterator[Event]:
        """Account for a result or a failure."""
        if await self.ledger.closed(event.job_id):
            return
        done = await self.ledger.enter(event)
        manifest = await self.ledger.manifest(event.job_id)
        yield _progress(event, done, manifest)
        if manifest:
            async for told in self._merge_when_complete(manifest):
                yield told

    async def on_job_failed(self, event: JobFailed) -> AsyncIterator[Event]:
        """Keep why a job was given up, and close its ledger."""
        await keep_outcome(self.artifacts, event)
        await self.ledger.close(event.job_id)
        return
        yield

    async def _merge_when_complete(self, manifest: AudioIngested) -> AsyncIterator[Event]:
        receipts = await self.ledger.receipts(manifest)
        if receipts is None:
            return
        async with self.results.lease(f"merge/{manifest.job_id}"):
            if await self.ledger.closed(manifest.job_id):
                return
            yield await self._outcome(manifest, receipts)
            await self.ledger.close(manifest.job_id)

    async def _outcome(
        self, manifest: AudioIngested, receipts: dict[Slot, Receipt]
    ) -> TranscriptMerged | JobFailed:
        # A merge that was made but perhaps not told is told as it was.
        merged = await self.ledger.merged(manifest.job_id)
        if merged:
            return merged
        material = await load(self.artifacts, manifest, receipts)
        if not material.hypotheses:
            first = next(
                loss for slot, loss in material.losses.items() if slot.stage is Stage.TRANSCRIBE
            )
            reason = f"nothing could be transcribed: {first.engine}: {first.reason}"
            return JobFailed(job_id=manifest.job_id, stage=Stage.TRANSCRIBE, reason=reason)
        created_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        transcript = await asyncio.to_thread(merge, material, created_at=created_at)
        path = f"jobs/{manifest.job_id}/transcript.json"
        artifact = await self.artifacts.put(path, transcript.model_dump_json().encode(), MEDIA_TYPE)
        merged = TranscriptMerged(
            job_id=manifest.job_id,
            artifact=artifact,
            options=manifest.options,
            engines=engine_uses(manifest, receipts),
        )
        await self.ledger.keep_merged(merged)
        return merged


def _progress(receipt: Receipt, done: int, manifest: AudioIngested | None) -> JobProgressed:
    stage = slot_of(receipt).stage
    total = len(manifest.chunks) * len(manifest.plan.of(stage)) if manifest else None
    return JobProgressed(job_id=receipt.job_id, stage=stage, done=done, total=total)


def on_failure(event: Event, error: VoxmeshError) -> Iterator[Event]:
    """A job whose results cannot be put together has failed."""
    if not isinstance(event, JobFailed):
        yield JobFailed(job_id=event.job_id, stage=Stage.MERGE, reason=str(error))
