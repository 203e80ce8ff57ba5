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
from services.runtime.inference import Inference, as_they_come, failures_of, lost
from services.runtime.workers import pool_for
from voxmesh_schemas import (
    ArtifactRef,
    AudioChunked,
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
        parameters = {"window_ms": self.settings.window_ms, "hop_ms": self.settings.hop_ms}
        works = {
            planned: self._detected(
                event,
                planned,
                event.chunk.artifact,
                parameters,
                partial(hear, planned.engine, self.settings),
            )
            for planned in event.plan.of(Stage.EMOTION_AUDIO)
        }
        async for told in as_they_come(works):
            yield told

    async def on_speech_transcribed(self, event: SpeechTranscribed) -> AsyncIterator[Event]:
        """Tell what each text engine reads, when these are the first recogniser's words."""
        if event.engine != event.plan.of(Stage.TRANSCRIBE)[0].engine:
            return
        parameters = {"languages": ",".join(self.settings.text_model_languages)}
        works = {
            planned: self._detected(
                event,
                planned,
                event.artifact,
                parameters,
                partial(read, planned.engine, self.settings),
            )
            for planned in event.plan.of(Stage.EMOTION_TEXT)
        }
        async for told in as_they_come(works):
            yield told

    async def _detected(
        self,
        event: AudioChunked | SpeechTranscribed,
        planned: PlannedEngine,
        source: ArtifactRef,
        parameters: Parameters,
        infer: Callable[[bytes], bytes],
    ) -> Event:
        engines = AUDIO if planned.stage is Stage.EMOTION_AUDIO else TEXT
        computed = await self.inference.compute(
            planned,
            source,
            parameters,
            infer,
            record=EmotionTrack,
            pool=pool_for(engines.make(planned.engine, self.settings), planned.stage),
            salt=event.salt,
        )
        return EmotionsDetected(
            job_id=event.job_id,
            chunk=event.chunk,
            engine=planned.engine,
            artifact=computed.artifact,
            compute_ms=computed.compute_ms,
            reused=computed.reused,
            modality=planned.stage,
        )


def on_failure(event: Event, error: VoxmeshError) -> Iterator[Event]:
    """The engines that failed to hear or read the chunk are lost for it."""
    stages = {AudioChunked: Stage.EMOTION_AUDIO, SpeechTranscribed: Stage.EMOTION_TEXT}
    if isinstance(event, AudioChunked | SpeechTranscribed):
        for planned, reason in failures_of(error, event.plan.of(stages[type(event)])):
            yield lost(event.job_id, event.chunk.index, planned, reason)
