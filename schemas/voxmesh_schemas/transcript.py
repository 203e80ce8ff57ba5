"""The one Transcript of a job: what downstream reads. Times are on the job's timeline."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voxmesh_schemas.base import Milliseconds, Notice, Probability, Record, Span
from voxmesh_schemas.media import MediaFacts
from voxmesh_schemas.plan import Plan
from voxmesh_schemas.results import Emotion


class Word(Span):
    """A word of the transcript."""

    text: str = Field(min_length=1, description="as shown, punctuation attached")
    confidence: Probability | None = Field(default=None, description="posterior, where known")


class UtteranceEmotion(Record):
    """How an utterance came across, audio and text taken together."""

    label: Emotion
    confidence: Probability = Field(description="probability of the label")
    probabilities: dict[Emotion, Probability] = Field(description="over all labels, sum 1")
    modalities: tuple[Literal["audio", "text"], ...] = Field(description="what it rests on")


class Utterance(Span):
    """What one speaker says without a long pause."""

    speaker: str | None = Field(default=None, description="label of a `Speaker`; none: unknown")
    channel: int = Field(default=0, ge=0)
    language: str | None = Field(default=None, description="BCP 47 tag")
    text: str
    words: tuple[Word, ...] = Field(min_length=1)
    emotion: UtteranceEmotion | None = Field(default=None, description="none: nothing was sure")


class Speaker(Record):
    """A voice of the recording."""

    label: str = Field(description="S1, S2, … in order of first appearance")
    name: str = Field(description="name to show people")
    speech_ms: Milliseconds = Field(description="time spoken")
    words: int = Field(ge=0, description="words spoken")


class Transcript(Record):
    """Who said what, when and how, in one recording."""

    schema_version: Literal[1] = 1
    job_id: str
    created_at: str = Field(description="when it was merged, RFC 3339, UTC")
    media: MediaFacts
    plan: Plan
    language: str | None = Field(default=None, description="BCP 47 tag of most words")
    speakers: tuple[Speaker, ...]
    utterances: tuple[Utterance, ...] = Field(description="in order of start")
    warnings: tuple[Notice, ...] = ()
