"""Events on the wire: the CloudEvents 1.0 Kafka binding in binary mode, with W3C trace context.

Attributes travel as `ce_*` headers, the body is the event's JSON alone.
"""

from __future__ import annotations

from datetime import UTC, datetime

from opentelemetry.propagate import inject
from pydantic import ValidationError

from services.runtime.bus.base import Message
from services.runtime.errors import PermanentError
from voxmesh_schemas import EVENTS, Event

_BY_TOPIC = {topic: event for event in EVENTS for topic in event.topics()}


def to_message(event: Event, *, producer: str) -> Message:
    """An event as a message; `producer` is the service that tells it."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event.id,
        "ce_type": f"org.voxmesh.{event.type}.v1",
        "ce_source": f"/voxmesh/{producer}",
        "ce_subject": event.subject(),
        "ce_time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "content-type": "application/json",
    }
    inject(headers)
    return Message(
        topic=event.topic_of(event.lane),
        key=event.key,
        body=event.model_dump_json().encode(),
        headers=headers,
    )


def to_event(message: Message) -> Event:
    """The event that a message carries.

    Raises:
        PermanentError: when its body is not an event of its topic.
    """
    model = _BY_TOPIC.get(message.topic)
    if model is None:
        raise PermanentError(f"the topic {message.topic} carries no event that is known")
    try:
        return model.model_validate_json(message.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise PermanentError(f"not a {model.type} event: {where}: {first['msg']}") from error
