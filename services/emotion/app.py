"""Emotion, wired."""

from __future__ import annotations

from collections.abc import Mapping

from services.emotion.engines import AUDIO, TEXT
from services.emotion.handler import EmotionHandler, on_failure
from services.emotion.settings import EmotionSettings
from services.runtime.mesh import Mesh
from services.runtime.service import Service
from services.runtime.status import Look, engine_statuses
from voxmesh_schemas import AudioChunked, SpeechTranscribed, Stage


def engine_looks(settings: EmotionSettings) -> Mapping[Stage, Look]:
    """How to find out which engines work here."""
    return {
        Stage.EMOTION_AUDIO: engine_statuses(AUDIO, settings),
        Stage.EMOTION_TEXT: engine_statuses(TEXT, settings),
    }


def service(mesh: Mesh, settings: EmotionSettings | None = None) -> Service:
    """The emotion service on a mesh."""
    settings = settings or EmotionSettings()
    handler = EmotionHandler(mesh.inference, settings)
    return Service(
        name="emotion",
        handlers={
            AudioChunked: handler.on_audio_chunked,
            SpeechTranscribed: handler.on_speech_transcribed,
        },
        on_failure=on_failure,
        drops_ended_jobs=True,
        concurrency=mesh.settings.cores,
        engines=engine_looks(settings),
    )
