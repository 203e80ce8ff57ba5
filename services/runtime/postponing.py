"""Messages that are handled later: a retry topic of the service for every delay.

A postponed message has its original key, body and headers, and beside them headers that say where
it comes from, which attempt comes next, when that is due, and what has gone wrong so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from services.runtime.bus.base import Message
from services.runtime.errors import PermanentError
from services.runtime.topics import retry_topic
from voxmesh_schemas import Failure

TOPIC, ATTEMPT, DUE, HISTORY = (
    f"voxmesh-retry-{name}" for name in ("topic", "attempt", "due", "history")
)
_FAILURES = TypeAdapter(tuple[Failure, ...])


@dataclass(frozen=True)
class Postponed:
    """A message that waits for its next attempt."""

    original: Message
    history: tuple[Failure, ...]
    due: datetime


def postpone(
    message: Message, service: str, history: tuple[Failure, ...], delay_s: float
) -> Message:
    """The message as it goes to the retry topic that its number of failures leads to."""
    headers = {
        TOPIC: message.topic,
        ATTEMPT: str(len(history) + 1),
        DUE: timestamp(datetime.now(UTC) + timedelta(seconds=delay_s)),
        HISTORY: _FAILURES.dump_json(history).decode(),
    }
    return Message(
        topic=retry_topic(service, len(history)),
        key=message.key,
        body=message.body,
        headers={**message.headers, **headers},
    )


def read_postponed(message: Message) -> Postponed:
    """What a message of a retry topic says.

    Raises:
        PermanentError: when it is no postponed message.
    """
    headers = dict(message.headers)
    try:
        topic, due = headers.pop(TOPIC), datetime.fromisoformat(headers.pop(DUE))
        history = _FAILURES.validate_json(headers.pop(HISTORY))
        headers.pop(ATTEMPT)
        return Postponed(Message(topic, message.key, message.body, headers), history, _utc(due))
    except (KeyError, ValueError, ValidationError) as error:
        raise PermanentError(f"not a postponed message: {type(error).__name__}") from error


def delay_after(failures: int, delays_s: Sequence[float], asked_s: float | None) -> float | None:
    """How long to wait after so many failures, or None when all delays are used up.

    `asked_s` is how long the other side wants to be left alone, if it said so.
    """
    if failures > len(delays_s):
        return None
    return max(delays_s[failures - 1], asked_s or 0.0)


def timestamp(at: datetime) -> str:
    """A time of RFC 3339, in UTC and to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
