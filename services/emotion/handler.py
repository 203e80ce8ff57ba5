"""AudioChunked and SpeechTranscribed in; EmotionsDetected or StageFailed out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial

from services.emotion.engines import AUDIO, TEXT
from services.emotion.inference import hear, read
from services.emotion.settings import EmotionSettings
from services.runtime.engines import Parameters
from services.runtime.errors import VoxmeshError
from services.runtime.inference import GIVEN_UP, Inference, as_they_come, lost
from services.runtime.workers import pool_for
from voxmesh_schemas import (
    ArtifactRef,
    AudioChunked,
    Chunk,
    EmotionsDetected,
    EmotionTrack,
    Event,
    PlannedEngine,
    SpeechTranscribed,
    Stage,
)


@dataclass(frozen=True)
class EmotionHandler:
    """Lets every planned engine hear a chunk, or read the words of its first recogniser."""

    inference: Inference
    settings: EmotionSettings

    async def on_audio_chunked(self, event: AudioChunked) -> AsyncIterator[Event]:
        """Tell what each audio engine hears."""
        works = (
            self._detected(
                event.job_id,
                event.chunk,
                planned,
                event.chunk.artifact,
                {"window_ms": self.settings.window_ms, "hop_ms": self.settings.hop_ms},
                partial(hear, planned.engine, self.settings),
                pool_for(AUDIO.make(planned.engine, self.settings), Stage.EMOTION_AUDIO),
            )
            for planned in event.plan.of(Stage.EMOTION_AUDIO)
        )
        async for told in as_they_come(works):
            yield told

    async def on_speech_transcribed(self, event: SpeechTranscribed) -> AsyncIterator[Event]:
        """Tell what each text engine reads, when these are the first recogniser's words."""
        if event.engine != event.plan.of(Stage.TRANSCRIBE)[0].engine:
            return
        works = (
            self._detected(
                event.job_id,
                event.chunk,
                planned,
                event.artifact,
                {"languages": ",".join(self.settings.text_model_languages)},
                partial(read, planned.engine, self.settings),
                pool_for(TEXT.make(planned.engine, self.settings), Stage.EMOTION_TEXT),
            )
            for planned in event.plan.of(Stage.EMOTION_TEXT)
        )
        async for told in as_they_come(works):
            yield told

    async def _detected(
        self,
        job_id: str,
        chunk: Chunk,
        planned: PlannedEngine,
        source: ArtifactRef,
        parameters: Parameters,
        infer: Callable[[bytes], bytes],
        pool: str,
    ) -> list[Event]:
        try:
            computed = await self.inference.compute(
                planned, source, parameters, infer, record=EmotionTrack, pool=pool
            )
        except GIVEN_UP as error:
            return [lost(job_id, chunk.index, planned, error)]
        return [
            EmotionsDetected(
                job_id=job_id,
                chunk=chunk,
                engine=planned.engine,
                artifact=computed.artifact,
                compute_ms=computed.compute_ms,
                reused=computed.reused,
                modality=planned.stage,
            )
        ]


def on_failure(event: Event, error: VoxmeshError) -> Iterator[Event]:
    """Every engine that should have heard or read the chunk is lost for it."""
    if isinstance(event, AudioChunked):
        for planned in event.plan.of(Stage.EMOTION_AUDIO):
            yield lost(event.job_id, event.chunk.index, planned, error)
    elif isinstance(event, SpeechTranscribed):
        for planned in event.plan.of(Stage.EMOTION_TEXT):
            yield lost(event.job_id, event.chunk.index, planned, error)
