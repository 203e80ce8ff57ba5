"""What a job waits for: a slot per chunk, stage and engine of its plan."""

from __future__ import annotations

from dataclasses import dataclass

from voxmesh_schemas import AudioIngested, ChunkResult, Stage, StageFailed

Receipt = ChunkResult | StageFailed
"""What fills a slot."""


@dataclass(frozen=True)
class Slot:
    """A place in the plan that a result or a failure fills."""

    chunk_index: int
    stage: Stage
    engine: str

    def __str__(self) -> str:
        return f"{self.chunk_index:06d}.{self.stage}.{self.engine}"

    @classmethod
    def parse(cls, text: str) -> Slot:
        """The slot that a string names."""
        index, stage, engine = text.split(".", 2)
        return cls(int(index), Stage(stage), engine)


def slot_of(receipt: Receipt) -> Slot:
    """The slot that a result or a failure fills."""
    if isinstance(receipt, StageFailed):
        return Slot(receipt.chunk_index, receipt.stage, receipt.engine)
    return Slot(receipt.chunk.index, receipt.stage, receipt.engine)


def expected_slots(manifest: AudioIngested) -> set[Slot]:
    """All slots of a job."""
    return {
        Slot(chunk.index, planned.stage, planned.engine)
        for chunk in manifest.chunks
        for planned in manifest.plan.engines
    }
