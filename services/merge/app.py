"""Merge, wired."""

from __future__ import annotations

from services.merge.agenda import Agenda
from services.merge.handler import MergeHandler, on_failure
from services.merge.ledger import Ledger
from services.runtime.mesh import Mesh
from services.runtime.service import Service
from voxmesh_schemas import (
    AudioIngested,
    EmotionsDetected,
    JobFailed,
    SpeakersDiarized,
    SpeechTranscribed,
    StageFailed,
)

CONCURRENCY = 16


def service(mesh: Mesh) -> Service:
    """The merge service on a mesh."""
    ledger = Ledger(mesh.artifacts, mesh.redis, prefix=mesh.settings.topic_prefix)
    handler = MergeHandler(
        mesh.artifacts,
        mesh.results,
        ledger,
        Agenda(mesh.artifacts),
        mendable_s=mesh.settings.replay_within_s,
    )
    return Service(
        name="merge",
        handlers={
            AudioIngested: handler.on_audio_ingested,
            SpeechTranscribed: handler.on_receipt,
            SpeakersDiarized: handler.on_receipt,
            EmotionsDetected: handler.on_receipt,
            StageFailed: handler.on_receipt,
            JobFailed: handler.on_job_failed,
        },
        chores={handler.revise: 1.0, handler.sweep: 60.0},
        on_failure=on_failure,
        concurrency=CONCURRENCY,
    )
