"""Transcribe, wired."""

from __future__ import annotations

from collections.abc import Mapping

from services.runtime.mesh import Mesh
from services.runtime.service import Service
from services.runtime.status import Look, engine_statuses
from services.transcribe.engines import ENGINES
from services.transcribe.handler import TranscribeHandler, on_failure
from services.transcribe.settings import TranscribeSettings
from voxmesh_schemas import AudioChunked, Stage


def engine_looks(settings: TranscribeSettings) -> Mapping[Stage, Look]:
    """How to find out which engines work here."""
    return {Stage.TRANSCRIBE: engine_statuses(ENGINES, settings)}


def service(mesh: Mesh, settings: TranscribeSettings | None = None) -> Service:
    """The transcribe service on a mesh."""
    settings = settings or TranscribeSettings()
    handler = TranscribeHandler(mesh.inference, settings)
    return Service(
        name="transcribe",
        handlers={AudioChunked: handler.on_audio_chunked},
        on_failure=on_failure,
        drops_ended_jobs=True,
        concurrency=mesh.settings.cores,
        engines=engine_looks(settings),
    )
