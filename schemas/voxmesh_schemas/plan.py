"""What a user asks for, and what the mesh makes of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from voxmesh_schemas.base import EngineName, Notice, Options, Record


class Stage(StrEnum):
    """The steps a recording goes through."""

    INGEST = "ingest"
    TRANSCRIBE = "transcribe"
    DIARIZE = "diarize"
    EMOTION_AUDIO = "emotion-audio"
    EMOTION_TEXT = "emotion-text"
    MERGE = "merge"
    SUBTITLES = "subtitles"


ENGINE_STAGES = (Stage.TRANSCRIBE, Stage.DIARIZE, Stage.EMOTION_AUDIO, Stage.EMOTION_TEXT)
"""The stages that run engines on chunks, in pipeline order."""

OFF = "none"
"""Engine name that switches a stage off."""


class OutputFormat(StrEnum):
    """The files a job can leave; the value is the file's suffix."""

    VTT = "vtt"
    SRT = "srt"
    JSON = "json"
    MARKDOWN = "md"


class JobOptions(Options):
    """How a recording is to be captioned. The defaults leave every choice to the mesh."""

    language: str | None = Field(default=None, description="BCP 47 tag; found out when absent")
    engines: dict[Stage, tuple[str, ...]] = Field(
        default={},
        description="engines by stage, in order of preference; a stage left out picks for itself, "
        "('none',) switches it off (all but transcribe)",
    )
    min_speakers: int | None = Field(default=None, ge=1, description="at least so many voices")
    max_speakers: int | None = Field(default=None, ge=1, description="at most so many voices")
    channels: Literal["mix", "split"] = Field(
        default="mix", description="mix all channels into one, or caption each by itself"
    )
    formats: tuple[OutputFormat, ...] = Field(
        default=tuple(OutputFormat), min_length=1, description="files to leave"
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.min_speakers and self.max_speakers and self.min_speakers > self.max_speakers:
            raise ValueError(
                f"min_speakers {self.min_speakers} is more than max_speakers {self.max_speakers}"
            )
        for stage, names in self.engines.items():
            if stage not in ENGINE_STAGES:
                raise ValueError(f"stage {stage} has no engines to choose")
            if not names or any(not name for name in names):
                raise ValueError(f"stage {stage} names no engine")
            if OFF in names and (len(names) > 1 or stage is Stage.TRANSCRIBE):
                raise ValueError(f"stage {stage} cannot combine {', '.join(names)}")
        return self


class PlannedEngine(Record):
    """One engine that hears every chunk of a job."""

    stage: Stage
    engine: EngineName
    model: str = Field(default="", description="model and version that it uses")
    reason: str = Field(description="why it was chosen, as a sentence")


class Plan(Record):
    """The resolved plan of a job: what merge waits for."""

    engines: tuple[PlannedEngine, ...]
    language: str | None = Field(default=None, description="BCP 47 tag, when known beforehand")
    min_speakers: int | None = None
    max_speakers: int | None = None
    notices: tuple[Notice, ...] = Field(
        default=(), description="what the plan lacks of what was asked for"
    )

    def of(self, stage: Stage) -> tuple[PlannedEngine, ...]:
        """The engines of one stage, the preferred one first."""
        return tuple(planned for planned in self.engines if planned.stage is stage)
