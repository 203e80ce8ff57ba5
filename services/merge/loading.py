"""Reading what a job's receipts speak of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TypeVar

from services.merge.material import Material
from services.merge.slots import Receipt, Slot
from services.runtime.artifacts import Artifacts
from voxmesh_schemas import (
    AudioIngested,
    ChunkResult,
    Diarization,
    EmotionTrack,
    Hypothesis,
    Record,
    Stage,
    StageFailed,
)

READ_AT_ONCE = 16
R = TypeVar("R", bound=Record)


async def load(
    artifacts: Artifacts, manifest: AudioIngested, receipts: Mapping[Slot, Receipt]
) -> Material:
    """The results that a job's receipts speak of.

    Raises:
        TransientError, PermanentError: when the store fails, or an artifact is damaged or gone.
    """
    results = {s: r for s, r in receipts.items() if isinstance(r, ChunkResult)}

    async def of(model: type[R], *stages: Stage) -> dict[Slot, R]:
        wanted = [slot for slot in results if slot.stage in stages]
        records = await asyncio.gather(*(read(model, results[slot]) for slot in wanted))
        return dict(zip(wanted, records, strict=True))

    limit = asyncio.Semaphore(READ_AT_ONCE)

    async def read(model: type[R], result: ChunkResult) -> R:
        async with limit:
            return model.model_validate_json(await artifacts.get(result.artifact))

    return Material(
        manifest=manifest,
        hypotheses=await of(Hypothesis, Stage.TRANSCRIBE),
        diarizations=await of(Diarization, Stage.DIARIZE),
        emotions=await of(EmotionTrack, Stage.EMOTION_AUDIO, Stage.EMOTION_TEXT),
        losses={s: r for s, r in receipts.items() if isinstance(r, StageFailed)},
    )
