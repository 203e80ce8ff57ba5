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


class Priority(StrEnum):
    """How soon a job is wanted, beside others."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class OutputFormat(StrEnum):
    """The files a job can leave."""

    VTT = "vtt"
    SRT = "srt"
    ASS = "ass"
    TTML = "ttml"
    SCC = "scc"
    HLS = "hls"
    """Segmented WebVTT with its playlist, in a ZIP file."""
    TEXT = "txt"
    CSV = "csv"
    TSV = "tsv"
    JSON = "json"
    MARKDOWN = "md"


DEFAULT_FORMATS = (OutputFormat.VTT, OutputFormat.SRT, OutputFormat.JSON, OutputFormat.MARKDOWN)
"""What a job leaves that asks for nothing else."""


class EmotionStyle(StrEnum):
    """How captions tell emotions."""

    NONE = "none"
    BRACKETS = "brackets"
    """A note before the words, such as [angrily], where an emotion is strong."""
    STYLE = "style"
    """Styles and classes, in formats that have them."""
    BOTH = "both"


class SubtitleOptions(Options):
    """How the captions of a job are to be set."""

    profile: Literal["web", "netflix", "bbc", "youtube", "broadcast-608"] = Field(
        default="web", description="the house style they are held to"
    )
    rules: dict[str, int | float | str] = Field(
        default={},
        description="what differs from the profile, such as line_cells or cells_per_second",
    )
    emotion: EmotionStyle = Field(default=EmotionStyle.BOTH, description="how emotions are told")
    karaoke: bool = Field(
        default=False, description="time every word, in formats that can: vtt, ass, hls"
    )
    drop_frame: bool = Field(default=True, description="drop-frame time code, in scc")
    hls_segment_ms: int = Field(default=6000, ge=1000, description="length of a segment, in hls")
    hls_mpegts: int = Field(
        default=0,
        ge=0,
        lt=2**33,
        description="MPEG-2 timestamp (90 kHz) of the recording's first instant, in hls",
    )


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
        default=DEFAULT_FORMATS, min_length=1, description="files to leave"
    )
    subtitles: SubtitleOptions = Field(
        default=SubtitleOptions(), description="how captions are to be set"
    )

    fresh: bool = Field(
        default=False, description="compute everything anew, whatever earlier jobs have left"
    )
    deadline_s: int | None = Field(
        default=None,
        ge=1,
        description="seconds from the request after which the job ends with what there is",
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
    priority: Priority = Field(default=Priority.NORMAL, description="of the job's work")
    fresh: bool = Field(default=False, description="results of earlier jobs are not reused")
    notices: tuple[Notice, ...] = Field(
        default=(), description="what the plan lacks of what was asked for"
    )

    def of(self, stage: Stage) -> tuple[PlannedEngine, ...]:
        """The engines of one stage, the preferred one first."""
        return tuple(planned for planned in self.engines if planned.stage is stage)
