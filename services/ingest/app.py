"""Ingest, wired."""

from __future__ import annotations

import asyncio

from services.ingest.admission import Admission
from services.ingest.handler import IngestHandler, on_failure
from services.ingest.settings import IngestSettings
from services.runtime.mesh import Mesh
from services.runtime.service import Service
from voxmesh_schemas import JobRequested


def service(mesh: Mesh, settings: IngestSettings | None = None) -> Service:
    """The ingest service on a mesh."""
    settings = settings or IngestSettings()
    handler = IngestHandler(
        mesh.artifacts,
        mesh.roster,
        settings,
        Admission(mesh.artifacts, settings.chunks_in_flight),
        asyncio.Semaphore(settings.concurrency),
        mesh.ended,
    )
    return Service(
        name="ingest",
        handlers={JobRequested: handler.on_job_requested},
        on_failure=on_failure,
        drops_ended_jobs=True,
        concurrency=settings.open_jobs,
    )
