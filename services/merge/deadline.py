"""What there is of a job when its time is up. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from services.merge.slots import Receipt, Slot, expected_slots
from voxmesh_schemas import (
    AudioIngested,
    JobRequested,
    MediaFacts,
    Notice,
    SpeechTranscribed,
    StageFailed,
)

REASON = "the deadline had passed"


def manifest_so_far(
    request: JobRequested, receipts: Mapping[Slot, Receipt]
) -> AudioIngested | None:
    """The chunks that recognisers have heard, as a manifest; None when there are none.

    For a recording that is still being read: what else is known of it is not known yet.
    """
    heard = [r for r in receipts.values() if isinstance(r, SpeechTranscribed)]
    if not heard:
        return None
    chunks = {receipt.chunk.index: receipt.chunk for receipt in heard}
    return AudioIngested(
        job_id=request.job_id,
        media=MediaFacts(
            name=request.source.name or request.source.uri.rsplit("/", 1)[-1],
            duration_ms=max(chunk.end_ms for chunk in chunks.values()),
        ),
        chunks=tuple(chunks[index] for index in sorted(chunks)),
        plan=heard[0].plan,
        options=request.options,
    )


def with_missing(manifest: AudioIngested, receipts: Mapping[Slot, Receipt]) -> dict[Slot, Receipt]:
    """A receipt for every slot: what is not there is lost to the deadline."""
    slots = sorted(expected_slots(manifest), key=str)
    return {slot: receipts.get(slot) or _late(manifest.job_id, slot) for slot in slots}


def with_notice(
    manifest: AudioIngested, receipts: Mapping[Slot, Receipt], *, whole: bool
) -> AudioIngested:
    """The manifest with a word on what is missing; `whole`: the recording was read to its end."""
    missing = sum(isinstance(r, StageFailed) and r.reason == REASON for r in receipts.values())
    message = (
        f"The deadline of {manifest.options.deadline_s} s passed with {missing} of "
        f"{len(receipts)} results outstanding."
    )
    notice = Notice(code="deadline", message=message)
    if not whole:
        end_ms = manifest.media.duration_ms
        message += " The recording goes on after this."
        notice = Notice(code="deadline", message=message, start_ms=end_ms, end_ms=end_ms)
    return manifest.model_copy(update={"notices": (*manifest.notices, notice)})


def _late(job_id: str, slot: Slot) -> StageFailed:
    return StageFailed(
        job_id=job_id,
        stage=slot.stage,
        engine=slot.engine,
        chunk_index=slot.chunk_index,
        reason=REASON,
    )
