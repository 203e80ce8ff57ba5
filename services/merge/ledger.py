"""The ledger of a job: which results are in, which are lost, and whether all are accounted for.

A receipt per (chunk, stage, engine) lies in the object store and is the truth. Redis only counts
them, so that an event costs the same however long the recording is; when it was wiped, the counts
are made again from the receipts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError, WatchError

from services.merge.slots import Receipt, Slot, expected_slots, slot_of
from services.runtime.artifacts import Artifacts
from services.runtime.errors import TransientError
from voxmesh_schemas import (
    ENGINE_STAGES,
    AudioIngested,
    ChunkResult,
    EmotionsDetected,
    JobRequested,
    SpeakersDiarized,
    SpeechTranscribed,
    Stage,
    StageFailed,
    TranscriptMerged,
)

MEDIA_TYPE = "application/json"
COUNTS_LAPSE_AFTER_S = 7 * 24 * 3600
COUNTED, COUNTING = "counted", "counting"
"""Names of keys: the counts of a job are whole, or are being made."""

_RESULT_OF: Mapping[Stage, type[ChunkResult]] = {
    Stage.TRANSCRIBE: SpeechTranscribed,
    Stage.DIARIZE: SpeakersDiarized,
    Stage.EMOTION_AUDIO: EmotionsDetected,
    Stage.EMOTION_TEXT: EmotionsDetected,
}


class State(StrEnum):
    """Whether a job has ended."""

    RUNNING = "running"
    MENDABLE = "mendable"
    """It ended with losses; a replayed dead letter may still mend it."""
    CLOSED = "closed"


class Ledger:
    """The ledgers of all jobs of a mesh."""

    def __init__(self, artifacts: Artifacts, redis: Redis, *, prefix: str) -> None:
        self._artifacts = artifacts
        self._redis = redis
        self._prefix = f"{prefix}voxmesh:job:"

    async def enter(self, receipt: Receipt) -> int:
        """Keep a receipt; gives how many results its stage has now."""
        slot = slot_of(receipt)
        kind = "lost" if isinstance(receipt, StageFailed) else "done"
        # The first telling stays: a later one only found in the store what that one computed.
        path = f"jobs/{receipt.job_id}/receipts/{kind}/{slot}"
        await self._artifacts.put_new(path, receipt.model_dump_json().encode(), MEDIA_TYPE)
        await self._count(receipt.job_id, slot)
        return (await self._counts(receipt.job_id))[slot.stage]

    async def keep_manifest(self, manifest: AudioIngested) -> None:
        """Keep the list of what is to come."""
        await self._put(manifest.job_id, "manifest.json", manifest.model_dump_json())

    async def manifest(self, job_id: str) -> AudioIngested | None:
        """The manifest, once it is in."""
        data = await self._artifacts.read(f"jobs/{job_id}/manifest.json")
        return AudioIngested.model_validate_json(data) if data else None

    async def receipts(self, manifest: AudioIngested) -> dict[Slot, Receipt] | None:
        """Every receipt of a job, or None while one is missing."""
        job_id, expected = manifest.job_id, expected_slots(manifest)
        if sum((await self._counts(job_id)).values()) < len(expected):
            return None
        done, lost = await self._kept(job_id, "done"), await self._kept(job_id, "lost")
        if not expected <= done | lost:
            return None
        return await self._read(job_id, expected, done)

    async def receipts_so_far(self, job_id: str) -> dict[Slot, Receipt]:
        """The receipts that a job has by now."""
        done, lost = await self._kept(job_id, "done"), await self._kept(job_id, "lost")
        return await self._read(job_id, done | lost, done)

    async def _read(
        self, job_id: str, slots: Collection[Slot], done: Collection[Slot]
    ) -> dict[Slot, Receipt]:
        # A result beats an earlier or later failure of the same slot.
        ordered = sorted(slots, key=str)
        receipts = await asyncio.gather(
            *(self._receipt(job_id, slot, done=slot in done) for slot in ordered)
        )
        return dict(zip(ordered, receipts, strict=True))

    async def keep_request(self, request: JobRequested) -> None:
        """Keep what was asked for."""
        await self._put(request.job_id, "request.json", request.model_dump_json())

    async def request(self, job_id: str) -> JobRequested | None:
        """What was asked for, if it was kept."""
        data = await self._artifacts.read(f"jobs/{job_id}/request.json")
        return JobRequested.model_validate_json(data) if data else None

    async def keep_merged(self, merged: TranscriptMerged) -> TranscriptMerged:
        """Keep what is to be told of a merge, before it is told; of two such, the first counts."""
        path = _merged_path(merged.job_id, merged.revision)
        await self._artifacts.put_new(path, merged.model_dump_json().encode(), MEDIA_TYPE)
        return await self._merged(merged.job_id, merged.revision) or merged

    async def merged(self, job_id: str) -> TranscriptMerged | None:
        """What is to be told of the last merge, once one was made."""
        last, revision = None, 1
        while found := await self._merged(job_id, revision):
            last, revision = found, revision + 1
        return last

    async def _merged(self, job_id: str, revision: int) -> TranscriptMerged | None:
        data = await self._artifacts.read(_merged_path(job_id, revision))
        return TranscriptMerged.model_validate_json(data) if data else None

    async def state(self, job_id: str) -> State:
        """Whether a job has ended, and for good."""
        data = await self._artifacts.read(f"jobs/{job_id}/ended")
        if data is None:
            return State.RUNNING
        return State(data.decode() or State.CLOSED)

    async def end(self, job_id: str) -> None:
        """Note that a job has ended, and keep what mending it needs."""
        if await self.state(job_id) is State.RUNNING:
            await self._put(job_id, "ended", State.MENDABLE)

    async def close(self, job_id: str) -> None:
        """Note that a job has ended for good, and remove what only its making needed."""
        await self._put(job_id, "ended", State.CLOSED)
        for folder in ("audio/", "receipts/", "source/"):
            await self._artifacts.delete_all(f"jobs/{job_id}/{folder}")
        await self._artifacts.delete(f"jobs/{job_id}/request.json")
        async with self._pipeline() as pipe:
            names = (COUNTED, COUNTING, *ENGINE_STAGES)
            pipe.delete(*[self._key(job_id, name) for name in names])
            await pipe.execute()

    async def _put(self, job_id: str, name: str, text: str) -> None:
        await self._artifacts.put(f"jobs/{job_id}/{name}", text.encode(), MEDIA_TYPE)

    async def _kept(self, job_id: str, kind: str) -> set[Slot]:
        prefix = f"jobs/{job_id}/receipts/{kind}/"
        return {
            Slot.parse(path.removeprefix(prefix)) for path in await self._artifacts.list(prefix)
        }

    async def _receipt(self, job_id: str, slot: Slot, *, done: bool) -> Receipt:
        kind, model = ("done", _RESULT_OF[slot.stage]) if done else ("lost", StageFailed)
        data = await self._artifacts.read(f"jobs/{job_id}/receipts/{kind}/{slot}")
        if data is None:
            raise TransientError(f"the receipt {slot} is gone")
        return model.model_validate_json(data)

    async def _count(self, job_id: str, slot: Slot) -> None:
        async with self._pipeline() as pipe:
            self._add(pipe, job_id, {slot})
            await pipe.execute()

    async def _counts(self, job_id: str) -> dict[Stage, int]:
        """How many results each stage has."""
        async with self._pipeline() as pipe:
            pipe.exists(self._key(job_id, COUNTED))
            for stage in ENGINE_STAGES:
                pipe.scard(self._key(job_id, stage))
            remembered, *counts = await pipe.execute()
        if not remembered:
            return await self._counts_made_again(job_id)
        return dict(zip(ENGINE_STAGES, map(int, counts), strict=True))

    async def _counts_made_again(self, job_id: str) -> dict[Stage, int]:
        slots: set[Slot] | None = None
        while slots is None:
            slots = await self._counted_again(job_id)
        return {stage: sum(slot.stage is stage for slot in slots) for stage in ENGINE_STAGES}

    async def _counted_again(self, job_id: str) -> set[Slot] | None:
        """The slots that are counted now, or None when Redis was wiped on the way.

        Were it wiped while we list, a result counted meanwhile would be forgotten: the watched key
        is gone then, which breaks the transaction.
        """
        counting = self._key(job_id, COUNTING)
        async with self._pipeline() as pipe:
            await self._redis.set(counting, 1, nx=True, ex=COUNTS_LAPSE_AFTER_S)
            await pipe.watch(counting)
            slots = await self._kept(job_id, "done") | await self._kept(job_id, "lost")
            pipe.multi()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            self._add(pipe, job_id, slots)
            pipe.set(self._key(job_id, COUNTED), 1, ex=COUNTS_LAPSE_AFTER_S)
            try:
                await pipe.execute()
            except WatchError:
                return None
        return slots

    def _add(self, pipe: Pipeline, job_id: str, slots: Collection[Slot]) -> None:
        """Count results, each once however often it comes."""
        for slot in slots:
            pipe.sadd(self._key(job_id, slot.stage), str(slot))
        for stage in {slot.stage for slot in slots}:
            pipe.expire(self._key(job_id, stage), COUNTS_LAPSE_AFTER_S)

    @asynccontextmanager
    async def _pipeline(self) -> AsyncIterator[Pipeline]:
        """Commands that Redis runs as one."""
        try:
            async with self._redis.pipeline() as pipe:
                yield pipe
        except RedisError as error:
            raise TransientError(f"Redis does not count results: {error}") from error

    def _key(self, job_id: str, name: str) -> str:
        return f"{self._prefix}{job_id}:{name}"


def _merged_path(job_id: str, revision: int) -> str:
    name = "merged" if revision == 1 else f"merged.{revision}"
    return f"jobs/{job_id}/{name}.json"
