"""Diarize, wired."""

from __future__ import annotations

from collections.abc import Mapping

from services.diarize.engines import ENGINES
from services.diarize.handler import DiarizeHandler, on_failure
from services.diarize.settings import DiarizeSettings
from services.runtime.mesh import Mesh
from services.runtime.service import Service
from services.runtime.status import Look, engine_statuses
from voxmesh_schemas import AudioChunked, Stage


def engine_looks(settings: DiarizeSettings) -> Mapping[Stage, Look]:
    """How to find out which engines work here."""
    return {Stage.DIARIZE: engine_statuses(ENGINES, settings)}


def service(mesh: Mesh, settings: DiarizeSettings | None = None) -> Service:
    """The diarize service on a mesh."""
    settings = settings or DiarizeSettings()
    handler = DiarizeHandler(mesh.inference, settings)
    return Service(
        name="diarize",
        handlers={AudioChunked: handler.on_audio_chunked},
        on_failure=on_failure,
        drops_ended_jobs=True,
        concurrency=mesh.settings.cores,
        engines=engine_looks(settings),
    )
