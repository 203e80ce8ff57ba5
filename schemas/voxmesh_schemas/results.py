"""What engines say of one chunk.

All times here are milliseconds from the chunk's own start, so that the same audio gives the same
result wherever in a recording it stands; merge moves them onto the job's timeline.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from voxmesh_schemas.base import Probability, Record, Span


class HypothesisWord(Span):
    """A word as one recogniser heard it."""

    text: str = Field(min_length=1, description="as written by the engine, punctuation attached")
    confidence: Probability | None = Field(default=None, description="the engine's own posterior")
    language: str | None = Field(
        default=None, description="BCP 47 tag where it differs from the hypothesis'"
    )


class Hypothesis(Record):
    """What one recogniser heard in one chunk, words in order of time."""

    engine: str
    model: str
    language: str | None = Field(default=None, description="BCP 47 tag, given or detected")
    words: tuple[HypothesisWord, ...]


class Turn(Span):
    """A stretch in which one voice speaks; turns of different voices may overlap."""

    speaker: str = Field(min_length=1, description="label, good in this chunk only")


class Diarization(Record):
    """Who spoke when in one chunk."""

    engine: str
    model: str
    turns: tuple[Turn, ...] = Field(description="in order of start")
    embeddings: dict[str, tuple[float, ...]] = Field(
        default={}, description="a voice embedding of unit length per local speaker"
    )


class Emotion(StrEnum):
    """The one label set; every engine's own labels are mapped onto it."""

    NEUTRAL = "neutral"
    HAPPY = "happy"
    SAD = "sad"
    ANGRY = "angry"
    FEARFUL = "fearful"
    DISGUSTED = "disgusted"
    SURPRISED = "surprised"


class Prosody(Record):
    """How a stretch of speech was spoken, before anyone judges it."""

    pitch_st: float = Field(description="median pitch in semitones above 55 Hz")
    pitch_range_st: float = Field(ge=0, description="10th to 90th percentile of pitch, semitones")
    loudness_db: float = Field(description="level of the voiced frames, dB below full scale")
    voiced: Probability = Field(description="share of frames with a pitch")


class EmotionWindow(Span):
    """How a stretch sounded or read. Neither probabilities nor prosody: the engine abstains."""

    probabilities: dict[Emotion, Probability] | None = Field(
        default=None, description="over the labels the engine knows, adding up to 1"
    )
    prosody: Prosody | None = Field(
        default=None, description="for merge to judge against the speaker's own baseline"
    )

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.probabilities is not None and abs(sum(self.probabilities.values()) - 1) > 1e-3:
            raise ValueError("emotion probabilities do not add up to 1")
        return self


class EmotionTrack(Record):
    """How one chunk sounded (audio) or read (text), windows in order of start."""

    engine: str
    model: str
    modality: Literal["audio", "text"]
    windows: tuple[EmotionWindow, ...]
