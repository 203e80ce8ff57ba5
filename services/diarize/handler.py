"""AudioChunked in; SpeakersDiarized or StageFailed for every engine of the plan out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial

from services.diarize.engines import ENGINES
from services.diarize.inference import diarize
from services.diarize.settings import DiarizeSettings
from services.runtime.errors import VoxmeshError
from services.runtime.inference import Inference, as_they_come, failures_of, lost
from services.runtime.workers import pool_for
from voxmesh_schemas import AudioChunked, Diarization, Event, PlannedEngine, SpeakersDiarized, Stage


@dataclass(frozen=True)
class DiarizeHandler:
    """Lets every planned diarizer hear a chunk."""

    inference: Inference
    settings: DiarizeSettings

    async def on_audio_chunked(self, event: AudioChunked) -> AsyncIterator[Event]:
        """Tell each engine's result as soon as it is there."""
        works = {engine: self._heard(event, engine) for engine in event.plan.of(Stage.DIARIZE)}
        async for told in as_they_come(works):
            yield told

    async def _heard(self, event: AudioChunked, planned: PlannedEngine) -> Event:
        # How few people speak in the whole recording says nothing of one chunk; how many at most
        # does.
        most = event.plan.max_speakers
        computed = await self.inference.compute(
            planned,
            event.chunk.artifact,
            {"max_speakers": most},
            partial(diarize, planned.engine, self.settings, None, most),
            record=Diarization,
            pool=pool_for(ENGINES.make(planned.engine, self.settings), Stage.DIARIZE),
            salt=event.salt,
        )
        return SpeakersDiarized(
            job_id=event.job_id,
            chunk=event.chunk,
            engine=planned.engine,
            artifact=computed.artifact,
            compute_ms=computed.compute_ms,
            reused=computed.reused,
        )


def on_failure(event: Event, error: VoxmeshError) -> Iterator[Event]:
    """The diarizers that failed are lost for the chunk."""
    if isinstance(event, AudioChunked):
        for planned, reason in failures_of(error, event.plan.of(Stage.DIARIZE)):
            yield lost(event.job_id, event.chunk.index, planned, reason)
