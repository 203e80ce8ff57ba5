"""AudioChunked in; SpeechTranscribed or StageFailed for every engine of the plan out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial

from services.runtime.errors import VoxmeshError
from services.runtime.inference import Inference, as_they_come, failures_of, lost
from services.runtime.workers import pool_for
from services.transcribe.engines import ENGINES
from services.transcribe.inference import transcribe
from services.transcribe.settings import TranscribeSettings
from voxmesh_schemas import (
    AudioChunked,
    Event,
    Hypothesis,
    PlannedEngine,
    SpeechTranscribed,
    Stage,
    StageFailed,
)


@dataclass(frozen=True)
class TranscribeHandler:
    """Lets every planned recogniser hear a chunk."""

    inference: Inference
    settings: TranscribeSettings

    async def on_audio_chunked(self, event: AudioChunked) -> AsyncIterator[Event]:
        """Tell each engine's result as soon as it is there."""
        works = {engine: self._heard(event, engine) for engine in event.plan.of(Stage.TRANSCRIBE)}
        async for told in as_they_come(works):
            yield told

    async def _heard(self, event: AudioChunked, planned: PlannedEngine) -> Event:
        language = event.plan.language
        computed = await self.inference.compute(
            planned,
            event.chunk.artifact,
            {"language": language},
            partial(transcribe, planned.engine, self.settings, language),
            record=Hypothesis,
            pool=pool_for(ENGINES.make(planned.engine, self.settings), Stage.TRANSCRIBE),
            salt=event.salt,
        )
        return SpeechTranscribed(
            job_id=event.job_id,
            chunk=event.chunk,
            engine=planned.engine,
            artifact=computed.artifact,
            compute_ms=computed.compute_ms,
            reused=computed.reused,
            plan=event.plan,
        )


def on_failure(event: Event, error: VoxmeshError) -> Iterator[Event]:
    """The recognisers that failed are lost for the chunk."""
    if isinstance(event, AudioChunked):
        for planned, reason in failures_of(error, event.plan.of(Stage.TRANSCRIBE)):
            yield from _lost(event, planned, reason)


def _lost(event: AudioChunked, planned: PlannedEngine, error: Exception) -> Iterator[StageFailed]:
    yield lost(event.job_id, event.chunk.index, planned, error)
    # Text emotion reads the first recogniser's words; without them nobody would answer for it.
    if planned == event.plan.of(Stage.TRANSCRIBE)[0]:
        for reader in event.plan.of(Stage.EMOTION_TEXT):
            yield lost(
                event.job_id, event.chunk.index, reader, Exception("there are no words to read")
            )
