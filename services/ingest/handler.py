"""JobRequested in; AudioChunked for every chunk, then AudioIngested, out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Container, Iterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass

from services.ingest.admission import Admission
from services.ingest.chunking import Cut
from services.ingest.plan import resolve
from services.ingest.recording import Recording, open_recording
from services.ingest.settings import IngestSettings
from services.ingest.sources import SourcePolicy
from services.runtime.artifacts import Artifacts
from services.runtime.audio import MEDIA_TYPE, encode_wav
from services.runtime.client import MEDIA_TYPE as JSON
from services.runtime.client import kept_outcome
from services.runtime.ended_jobs import CANCELLED
from services.runtime.errors import BadInputError, EngineUnusableError, PermanentError, VoxmeshError
from services.runtime.roster import Roster
from services.runtime.threads import in_thread
from voxmesh_schemas import (
    ENGINE_STAGES,
    AudioChunked,
    AudioIngested,
    Chunk,
    Event,
    JobFailed,
    JobProgressed,
    JobRequested,
    Notice,
    Plan,
    Stage,
)


@dataclass(frozen=True)
class IngestHandler:
    """Fetches a recording and cuts it."""

    artifacts: Artifacts
    roster: Roster
    settings: IngestSettings
    admission: Admission
    decoding: asyncio.Semaphore
    """Held while a recording is opened or decoded, not while it waits to be admitted."""
    ended: Container[str] = ()
    """Jobs on which no more work is wanted."""

    async def on_job_requested(self, event: JobRequested) -> AsyncIterator[Event]:
        """Publish each chunk as soon as it is decoded, and the manifest last."""
        if before := await self._told_before(event.job_id):
            for again in before:
                yield again
            return
        plan = await self._plan(event)
        try:
            async for told in self._ingest(event, plan):
                yield told
                if event.job_id in self.ended:
                    break
        except PermanentError:
            await self.artifacts.delete_all(audio_folder(event.job_id))
            raise
        finally:
            if event.job_id in self.ended:
                await self.artifacts.delete_all(audio_folder(event.job_id))

    async def _told_before(self, job_id: str) -> list[Event]:
        """What became of a job that is asked for again; its recording may be gone by now."""
        failed = await kept_outcome(self.artifacts, job_id)
        if isinstance(failed, JobFailed) and (failed.bad_input or failed.reason == CANCELLED):
            return [failed]  # another time it may go better only if neither is so
        data = await self.artifacts.read(_manifest_path(job_id))
        if data is None:
            return []
        manifest = AudioIngested.model_validate_json(data)
        chunks = [
            AudioChunked(job_id=job_id, chunk=chunk, plan=manifest.plan)
            for chunk in manifest.chunks
        ]
        return [*chunks, manifest]

    async def _plan(self, event: JobRequested) -> Plan:
        await self.roster.wait_for(ENGINE_STAGES, within_s=self.settings.engines_within_s)
        roster = {stage: await self.roster.engines(stage) for stage in ENGINE_STAGES}
        return resolve(event.options, roster, event.priority)

    async def _ingest(self, event: JobRequested, plan: Plan) -> AsyncIterator[Event]:
        chunks: list[Chunk] = []
        async with AsyncExitStack() as stack:
            recording = await anext(in_thread(self._opened(event, stack), self.decoding))
            room = 0
            # The thread is done with the recording before that is closed, however this ends.
            cuts = in_thread(recording.chunks(), self.decoding)
            async for cut in await stack.enter_async_context(aclosing(cuts)):
                if not room:
                    room = await self.admission.room(event.job_id, plan, len(chunks))
                room -= 1
                chunk = await self._store(event.job_id, cut)
                chunks.append(chunk)
                yield AudioChunked(job_id=event.job_id, chunk=chunk, plan=plan)
                yield _progress(event.job_id, chunk.end_ms, recording.facts.duration_ms)
            if not chunks:
                raise BadInputError(f"{recording.facts.name} holds no audio")
            media, damaged = recording.facts, recording.lost_packets
        yield _progress(event.job_id, media.duration_ms, media.duration_ms)
        manifest = AudioIngested(
            job_id=event.job_id,
            media=media,
            chunks=tuple(chunks),
            plan=plan,
            options=event.options,
            notices=_damage(damaged),
        )
        body = manifest.model_dump_json().encode()
        await self.artifacts.put(_manifest_path(event.job_id), body, JSON)
        yield manifest

    def _opened(self, event: JobRequested, stack: AsyncExitStack) -> Iterator[Recording]:
        source, options = event.source, event.options
        if self.artifacts.holds(source.uri):
            file = stack.enter_context(self.artifacts.open(source.uri))
            yield stack.enter_context(open_recording(file, source.name, channels=options.channels))
            return
        policy = SourcePolicy(
            local_files=self.settings.local_files,
            private_networks=self.settings.private_networks,
        )
        yield stack.enter_context(open_recording(source, policy=policy, channels=options.channels))

    async def _store(self, job_id: str, cut: Cut) -> Chunk:
        path = f"{audio_folder(job_id)}{cut.index:06d}.wav"
        artifact = await self.artifacts.put(path, encode_wav(cut.samples), MEDIA_TYPE)
        return Chunk(
            index=cut.index,
            channel=cut.channel,
            start_ms=cut.start_ms,
            end_ms=cut.end_ms,
            overlap_ms=cut.overlap_ms,
            artifact=artifact,
        )


def audio_folder(job_id: str) -> str:
    """Where a job's chunks of audio are kept until it ends."""
    return f"jobs/{job_id}/audio/"


def _manifest_path(job_id: str) -> str:
    return f"jobs/{job_id}/ingested.json"


def _damage(lost_packets: int) -> tuple[Notice, ...]:
    if not lost_packets:
        return ()
    packets = "one packet" if lost_packets == 1 else f"{lost_packets} packets"
    message = f"The recording is damaged: {packets} could not be decoded; silence stands for them."
    return (Notice(code="damaged", message=message),)


def on_failure(event: Event, error: VoxmeshError) -> Iterator[Event]:
    """A job whose recording cannot be had has failed."""
    yield JobFailed(
        job_id=event.job_id,
        stage=Stage.INGEST,
        reason=str(error),
        bad_input=isinstance(error, BadInputError | EngineUnusableError),
    )


def _progress(job_id: str, done_ms: int, total_ms: int) -> JobProgressed:
    return JobProgressed(
        job_id=job_id, stage=Stage.INGEST, done=done_ms, total=max(done_ms, total_ms)
    )
