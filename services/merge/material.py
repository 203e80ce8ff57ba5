"""All that the engines said of one job, ready to merge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.merge.slots import Slot
from voxmesh_schemas import AudioIngested, Diarization, EmotionTrack, Hypothesis, StageFailed


@dataclass(frozen=True)
class Material:
    """What there is to merge, by slot."""

    manifest: AudioIngested
    hypotheses: Mapping[Slot, Hypothesis]
    diarizations: Mapping[Slot, Diarization]
    emotions: Mapping[Slot, EmotionTrack]
    losses: Mapping[Slot, StageFailed]
