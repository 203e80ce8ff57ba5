"""The mesh as an AsyncAPI 3.0 document: what is on which topic, and who tells and hears it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from voxmesh_schemas.events import (
    EVENTS,
    AudioChunked,
    AudioIngested,
    DeadLetter,
    EmotionsDetected,
    Event,
    JobCancelled,
    JobCompleted,
    JobFailed,
    JobProgressed,
    JobRequested,
    SpeakersDiarized,
    SpeechTranscribed,
    StageFailed,
    SubtitlesRendered,
    TranscriptMerged,
)

Message = type[Event] | type[DeadLetter]
Json = dict[str, Any]

KAFKA_BINDING = "0.5.0"


@dataclass(frozen=True)
class Party:
    """One that tells or hears events."""

    summary: str
    receives: tuple[Message, ...]
    sends: tuple[Message, ...]


PARTIES: Mapping[str, Party] = {
    "ingest": Party(
        "Fetches a recording and cuts it into chunks.",
        receives=(JobRequested,),
        sends=(AudioChunked, AudioIngested, JobProgressed, JobFailed, DeadLetter),
    ),
    "transcribe": Party(
        "Lets recognisers hear a chunk.",
        receives=(AudioChunked,),
        sends=(SpeechTranscribed, StageFailed, DeadLetter),
    ),
    "diarize": Party(
        "Tells the voices of a chunk apart.",
        receives=(AudioChunked,),
        sends=(SpeakersDiarized, StageFailed, DeadLetter),
    ),
    "emotion": Party(
        "Estimates how a chunk sounds and how its words read.",
        receives=(AudioChunked, SpeechTranscribed),
        sends=(EmotionsDetected, StageFailed, DeadLetter),
    ),
    "merge": Party(
        "Puts a job's results together once all are accounted for.",
        receives=(
            JobRequested,
            JobCancelled,
            AudioIngested,
            SpeechTranscribed,
            SpeakersDiarized,
            EmotionsDetected,
            StageFailed,
            JobFailed,
        ),
        sends=(TranscriptMerged, JobProgressed, JobFailed, DeadLetter),
    ),
    "subtitles": Party(
        "Writes the caption files.",
        receives=(TranscriptMerged,),
        sends=(SubtitlesRendered, JobCompleted, JobFailed, DeadLetter),
    ),
    "client": Party(
        "Asks for captions and waits for them.",
        receives=(JobProgressed, JobCompleted, JobFailed),
        sends=(JobRequested, JobCancelled),
    ),
}
"""The services, each of which is a consumer group of its name, and whoever uses the mesh."""


class Untitled(GenerateJsonSchema):
    """Leaves out the titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: object) -> bool:
        """Never."""
        return False


def asyncapi_document() -> Json:
    """The document; the same contract gives the same one."""
    messages: tuple[Message, ...] = (*EVENTS, DeadLetter)
    _, schemas = models_json_schema(
        [(message, "validation") for message in messages],
        ref_template="#/components/schemas/{model}",
        schema_generator=Untitled,
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "voxmesh",
            "version": version("voxmesh-schemas"),
            "description": "Speaker- and emotion-aware captions, by an event-streaming mesh. "
            "Delivery is at least once; `ce_id` is the same whenever the same fact is told.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            topic: _channel(message, topic) for message in messages for topic in _topics(message)
        },
        "operations": {
            f"{name}.{action}.{topic}": _operation(name, party, action, message, topic)
            for name, party in PARTIES.items()
            for action, told in (("receive", party.receives), ("send", party.sends))
            for message in told
            for topic in _topics(message)
        },
        "components": {
            "messages": {message.__name__: _message(message) for message in messages},
            "schemas": schemas["$defs"],
        },
    }


def _topics(message: Message) -> tuple[str, ...]:
    return message.topics() if issubclass(message, Event) else (message.topic,)


def _channel(message: Message, topic: str) -> Json:
    name = message.__name__
    return {
        "address": topic,
        "description": _sentence(message),
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
    }


def _operation(name: str, party: Party, action: str, message: Message, topic: str) -> Json:
    channel = f"#/channels/{topic}"
    operation = {
        "action": action,
        "channel": {"$ref": channel},
        "summary": party.summary,
        "messages": [{"$ref": f"{channel}/messages/{message.__name__}"}],
    }
    if action == "receive" and name != "client":
        lane = topic.removeprefix(message.topic)
        group = {"type": "string", "enum": [name + lane]}
        operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": KAFKA_BINDING}}
    return operation


def _message(message: Message) -> Json:
    described: Json = {
        "name": message.__name__,
        "summary": _sentence(message),
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{message.__name__}"},
        "bindings": {"kafka": {"key": _key(message), "bindingVersion": KAFKA_BINDING}},
    }
    if issubclass(message, Event):
        described["headers"] = _headers(message)
    return described


def _key(message: Message) -> Json:
    if message is DeadLetter:
        return {"type": "string", "description": "the key of the original"}
    if message is AudioChunked:
        return {"type": "string", "description": "the job's id, ':' and the chunk's index"}
    return {"type": "string", "description": "the job's id"}


def _headers(event: type[Event]) -> Json:
    """CloudEvents 1.0 in Kafka's binary mode, and W3C Trace Context."""
    properties: Json = {
        "content-type": {"const": "application/json"},
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid", "description": "UUIDv5 of type and subject"},
        "ce_type": {"const": f"org.voxmesh.{event.type}.v1"},
        "ce_source": {"type": "string", "pattern": "^/voxmesh/", "description": "who tells it"},
        "ce_subject": {"type": "string", "description": "what it is about, within its type"},
        "ce_time": {"type": "string", "format": "date-time", "description": "when it was told"},
    }
    traceparent = {"type": "string", "description": "the trace that it belongs to, if any"}
    return {
        "type": "object",
        "required": list(properties),
        "properties": {**properties, "traceparent": traceparent},
    }


def _sentence(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]
