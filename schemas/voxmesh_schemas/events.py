"""The events of the mesh: past-tense facts, each of them about something, each said once.

An event's id is a UUIDv5 of what it is about, so a fact that is told twice has one id and whoever
listens downstream can drop the second telling.
"""

from __future__ import annotations

from hashlib import sha256
from typing import ClassVar
from uuid import UUID, uuid5

from pydantic import Field

from voxmesh_schemas.base import EngineName, Milliseconds, Notice, Record
from voxmesh_schemas.media import ArtifactRef, Chunk, MediaFacts, Source
from voxmesh_schemas.plan import JobOptions, OutputFormat, Plan, Priority, Stage

NAMESPACE = UUID("6f0b1c0e-8d0c-5b5e-9d4b-0c6d1f1b7a11")
"""Namespace of event ids; changing it makes every event a new one."""


class Event(Record):
    """A fact about a job."""

    type: ClassVar[str]
    """CloudEvents type, without version."""
    topic: ClassVar[str]
    """Topic it is published on."""
    by_priority: ClassVar[bool] = False
    """It has a topic for each other priority beside it."""

    job_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")

    def subject(self) -> str:
        """What the event is about, within its type; the id is made of it."""
        return self.job_id

    @property
    def lane(self) -> Priority:
        """The priority that it is published with."""
        return Priority.NORMAL

    @classmethod
    def topics(cls) -> tuple[str, ...]:
        """Its topics, one for each priority it can have."""
        return tuple(cls.topic_of(p) for p in Priority) if cls.by_priority else (cls.topic,)

    @classmethod
    def topic_of(cls, priority: Priority) -> str:
        """Its topic for a priority."""
        return cls.topic if priority is Priority.NORMAL else f"{cls.topic}.{priority}"

    @property
    def key(self) -> str:
        """Partition key: events with one key keep their order."""
        return self.job_id

    @property
    def id(self) -> str:
        """The event's id, the same whenever the same fact is told."""
        return str(uuid5(NAMESPACE, f"{self.type}/{self.subject()}"))


def _revised(subject: str, revision: int) -> str:
    """A revision is a new fact; the first one is told under the subject alone."""
    return subject if revision == 1 else f"{subject}/revision-{revision}"


class JobRequested(Event):
    """Someone wants a recording captioned."""

    type = "job.requested"
    topic = "jobs.requested"
    by_priority = True

    source: Source
    options: JobOptions = JobOptions()
    priority: Priority = Field(
        default=Priority.NORMAL, description="work of a higher one is done first, mostly"
    )

    @property
    def lane(self) -> Priority:
        return self.priority


class JobCancelled(Event):
    """Someone has called a job off."""

    type = "job.cancelled"
    topic = "jobs.cancelled"


class AudioChunked(Event):
    """A chunk of audio is ready for the engines."""

    type = "audio.chunked"
    topic = "audio.chunked"
    by_priority = True

    chunk: Chunk
    plan: Plan

    @property
    def lane(self) -> Priority:
        return self.plan.priority

    def subject(self) -> str:
        return f"{self.job_id}/{self.chunk.index}"

    @property
    def key(self) -> str:
        return f"{self.job_id}:{self.chunk.index}"

    @property
    def salt(self) -> str:
        """What sets the job's results apart, when it reuses none of other jobs."""
        return self.job_id if self.plan.fresh else ""


class AudioIngested(Event):
    """All chunks are out: the job's manifest."""

    type = "audio.ingested"
    topic = "audio.ingested"

    media: MediaFacts
    chunks: tuple[Chunk, ...] = Field(description="in order of index")
    plan: Plan
    options: JobOptions
    notices: tuple[Notice, ...] = Field(
        default=(), description="what is wrong with the recording itself"
    )


class ChunkResult(Event):
    """An engine has dealt with a chunk."""

    chunk: Chunk
    engine: EngineName
    artifact: ArtifactRef
    compute_ms: Milliseconds = Field(description="time the engine took, when it was computed")
    reused: bool = Field(default=False, description="found in the store instead of computed")

    @property
    def stage(self) -> Stage:
        """The stage that the engine belongs to."""
        raise NotImplementedError

    def subject(self) -> str:
        return f"{self.job_id}/{self.chunk.index}/{self.stage}/{self.engine}"


class SpeechTranscribed(ChunkResult):
    """A recogniser has heard a chunk; the artifact is a `Hypothesis`."""

    type = "speech.transcribed"
    topic = "speech.transcribed"

    plan: Plan

    @property
    def stage(self) -> Stage:
        return Stage.TRANSCRIBE

    @property
    def salt(self) -> str:
        """What sets the job's results apart, when it reuses none of other jobs."""
        return self.job_id if self.plan.fresh else ""


class SpeakersDiarized(ChunkResult):
    """A chunk's voices are told apart; the artifact is a `Diarization`."""

    type = "speakers.diarized"
    topic = "speakers.diarized"

    @property
    def stage(self) -> Stage:
        return Stage.DIARIZE


class EmotionsDetected(ChunkResult):
    """A chunk's emotions are estimated; the artifact is an `EmotionTrack`."""

    type = "emotions.detected"
    topic = "emotions.detected"

    modality: Stage = Field(description="emotion-audio or emotion-text")

    @property
    def stage(self) -> Stage:
        return self.modality


class StageFailed(Event):
    """An engine has finally given up on a chunk."""

    type = "stage.failed"
    topic = "stages.failed"

    stage: Stage
    engine: EngineName
    chunk_index: int = Field(ge=0)
    reason: str = Field(description="one sentence for people")

    def subject(self) -> str:
        return f"{self.job_id}/{self.chunk_index}/{self.stage}/{self.engine}"


class EngineUse(Record):
    """What one engine did for a job."""

    stage: Stage
    engine: str
    model: str = ""
    reason: str = ""
    chunks: int = Field(ge=0, description="results it gave")
    reused: int = Field(ge=0, description="how many of them were found in the store")
    failed: int = Field(ge=0, description="chunks it was lost for")
    audio_ms: Milliseconds = Field(description="audio in the chunks it computed")
    compute_ms: Milliseconds = Field(description="time it took to compute them")


class TranscriptMerged(Event):
    """The job's Transcript exists; the artifact is a `Transcript`."""

    type = "transcript.merged"
    topic = "transcripts.merged"

    artifact: ArtifactRef
    options: JobOptions
    engines: tuple[EngineUse, ...]
    revision: int = Field(
        default=1, ge=1, description="rises when what was lost at first is there after all"
    )

    def subject(self) -> str:
        return _revised(self.job_id, self.revision)


class SubtitlesRendered(Event):
    """One file in one language is written."""

    type = "subtitles.rendered"
    topic = "subtitles.rendered"

    language: str = Field(description="BCP 47 tag; 'und' when unknown")
    format: OutputFormat
    artifact: ArtifactRef
    revision: int = Field(
        default=1, ge=1, description="rises when what was lost at first is there after all"
    )

    def subject(self) -> str:
        return _revised(f"{self.job_id}/{self.language}/{self.format}", self.revision)


class JobProgressed(Event):
    """A stage has come further: for people to watch."""

    type = "job.progressed"
    topic = "jobs.progressed"

    stage: Stage
    done: int = Field(ge=0, description="results in; milliseconds decoded for ingest")
    total: int | None = Field(default=None, ge=0, description="of how many, once known")

    def subject(self) -> str:
        return f"{self.job_id}/{self.stage}/{self.done}"


class Output(Record):
    """A file that a job leaves."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+$", description="file name, without a folder")
    language: str
    format: OutputFormat
    artifact: ArtifactRef


class JobCompleted(Event):
    """The job is done; warnings say what is missing."""

    type = "job.completed"
    topic = "jobs.completed"

    outputs: tuple[Output, ...]
    transcript: ArtifactRef
    engines: tuple[EngineUse, ...]
    warnings: tuple[Notice, ...] = ()
    revision: int = Field(
        default=1, ge=1, description="rises when what was lost at first is there after all"
    )

    def subject(self) -> str:
        return _revised(self.job_id, self.revision)


class JobFailed(Event):
    """The job has ended without captions."""

    type = "job.failed"
    topic = "jobs.failed"

    stage: Stage
    reason: str = Field(description="one sentence: what was wrong, with what, what to do")
    bad_input: bool = Field(default=False, description="the source or the options are at fault")


class Failure(Record):
    """A time that a message could not be handled, whatever was tried then and there."""

    at: str = Field(description="RFC 3339, UTC")
    error: str = Field(description="one sentence")
    attempts: int = Field(ge=1, description="tries in place")


class DeadLetter(Record):
    """A message that nobody could handle, kept whole for operators."""

    topic: ClassVar[str] = "dead-letters"

    original_topic: str
    original_key: str
    headers: dict[str, str]
    body_base64: str = Field(description="the original bytes")
    group: str = Field(description="consumer group that gave up")
    error: str = Field(description="one sentence")
    attempts: int = Field(ge=1, description="tries in all")
    history: tuple[Failure, ...] = Field(default=(), description="every failure, the last one last")

    @property
    def id(self) -> str:
        """The same whenever the same group gives up on the same message."""
        body = sha256(self.body_base64.encode()).hexdigest()
        about = f"dead-letter/{self.group}/{self.original_topic}/{self.original_key}/{body}"
        return str(uuid5(NAMESPACE, about))


EVENTS: tuple[type[Event], ...] = (
    JobRequested,
    JobCancelled,
    AudioChunked,
    AudioIngested,
    SpeechTranscribed,
    SpeakersDiarized,
    EmotionsDetected,
    StageFailed,
    TranscriptMerged,
    SubtitlesRendered,
    JobProgressed,
    JobCompleted,
    JobFailed,
)
"""Every event type; a topic holds exactly one of them."""
