"""Subtitles, wired."""

from __future__ import annotations

from services.runtime.mesh import Mesh
from services.runtime.service import Service
from services.subtitles.handler import SubtitlesHandler, on_failure
from voxmesh_schemas import TranscriptMerged

CONCURRENCY = 4


def service(mesh: Mesh) -> Service:
    """The subtitles service on a mesh."""
    handler = SubtitlesHandler(mesh.artifacts)
    return Service(
        name="subtitles",
        handlers={TranscriptMerged: handler.on_transcript_merged},
        on_failure=on_failure,
        concurrency=CONCURRENCY,
    )
