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
    JobCancelled,
    JobFailed,
    JobRequested,
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
        mesh.ended,
        mendable_s=mesh.settings.replay_within_s,
    )
    return Service(
        name="merge",
        handlers={
            JobRequested: handler.on_job_requested,
            JobCancelled: handler.on_job_cancelled,
            AudioIngested: handler.on_audio_ingested,
            SpeechTranscribed: handler.on_receipt,
            SpeakersDiarized: handler.on_receipt,
            EmotionsDetected: handler.on_receipt,
            StageFailed: handler.on_receipt,
            JobFailed: handler.on_job_failed,
        },
        chores={handler.end_overdue: 0.5, handler.revise: 1.0, handler.sweep: 60.0},
        on_failure=on_failure,
        concurrency=CONCURRENCY,
    )
