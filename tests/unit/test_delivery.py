"""What becomes of a message, whatever a handler does with it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterable, Iterator

import pytest

from services.runtime.bus import MemoryBus, Message
from services.runtime.delivery import Delivery
from services.runtime.envelope import to_event, to_message
from services.runtime.errors import (
    BadInputError,
    EngineUnusableError,
    PermanentError,
    TransientError,
    VoxmeshError,
)
from services.runtime.retry import RetryPolicy
from services.runtime.service import Service
from voxmesh_schemas import (
    DeadLetter,
    Event,
    JobFailed,
    JobProgressed,
    JobRequested,
    Source,
    Stage,
)

REQUEST = JobRequested(job_id="job-1", source=Source(uri="/talk.mp4"))
PROGRESS = JobProgressed(job_id="job-1", stage=Stage.INGEST, done=1)
MESSAGE = to_message(REQUEST, producer="client")


class Handler:
    """Tells of progress, and fails with the given errors in turn before it succeeds."""

    def __init__(self, errors: Iterable[Exception] = ()) -> None:
        self._errors = iter(errors)
        self.handled: list[Event] = []

    async def __call__(self, event: JobRequested) -> AsyncIterator[Event]:
        self.handled.append(event)
        yield PROGRESS
        if error := next(self._errors, None):
            raise error


def on_failure(event: Event, error: VoxmeshError) -> Iterator[Event]:
    yield JobFailed(job_id=event.job_id, stage=Stage.INGEST, reason=str(error))


async def deliver(message: Message, handler: Handler) -> tuple[list[Event], list[DeadLetter]]:
    """What a service tells of a message, and what it gives up on."""
    bus = MemoryBus()
    service = Service("ingest", {JobRequested: handler}, on_failure, concurrency=1)
    await Delivery(service, bus, RetryPolicy(attempts=3, backoff_s=0.001)).on_message(message)
    dead = [m for m in bus.published if m.topic == DeadLetter.topic]
    told = [to_event(m) for m in bus.published if m not in dead]
    return told, [DeadLetter.model_validate_json(m.body) for m in dead]


async def test_what_a_handler_says_is_told_by_its_service() -> None:
    bus = MemoryBus()
    service = Service("ingest", {JobRequested: Handler()}, on_failure, concurrency=1)
    await Delivery(service, bus, RetryPolicy(attempts=1, backoff_s=0.001)).on_message(MESSAGE)
    (told,) = bus.published
    assert to_event(told) == PROGRESS
    assert told.headers["ce_source"] == "/voxmesh/ingest"


@pytest.mark.parametrize(
    "poison",
    [
        Message("jobs.requested", "job-1", b"\xff", {"ce_id": "1"}),
        Message("jobs.requested", "job-1", b"{}", {"ce_id": "1"}),
        Message("weather", "job-1", b"rain", {"ce_id": "1"}),
    ],
)
async def test_poison_is_kept_whole_for_operators_and_never_reaches_the_handler(
    poison: Message,
) -> None:
    handler = Handler()
    told, (letter,) = await deliver(poison, handler)
    assert told == handler.handled == []
    assert (letter.original_topic, letter.original_key) == (poison.topic, poison.key)
    assert letter.headers == poison.headers
    assert base64.b64decode(letter.body_base64) == poison.body
    assert (letter.group, letter.attempts) == ("ingest", 1)
    assert letter.error


@pytest.mark.parametrize("mistake", [BadInputError, EngineUnusableError])
async def test_a_users_mistake_is_told_to_the_user_alone(mistake: type[VoxmeshError]) -> None:
    handler = Handler([mistake("talk.mp4 holds no audio")])
    told, letters = await deliver(MESSAGE, handler)
    assert letters == []
    assert told[-1] == JobFailed(
        job_id="job-1", stage=Stage.INGEST, reason="talk.mp4 holds no audio"
    )


async def test_a_passing_failure_is_tried_again() -> None:
    handler = Handler([TransientError("busy"), TransientError("busy")])
    told, letters = await deliver(MESSAGE, handler)
    assert (handler.handled, letters) == ([REQUEST] * 3, [])
    assert {event.id for event in told} == {PROGRESS.id}


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (TransientError("the store is full"), 3),
        (PermanentError("the chunk is damaged"), 1),
    ],
)
async def test_what_finally_fails_is_told_and_kept(error: VoxmeshError, tries: int) -> None:
    handler = Handler([error] * 9)
    told, (letter,) = await deliver(MESSAGE, handler)
    assert len(handler.handled) == letter.attempts == tries
    assert letter.error == str(error)
    assert isinstance(told[-1], JobFailed)
    assert told[-1].reason == str(error)


async def test_a_bug_fails_the_job_and_not_the_worker() -> None:
    handler = Handler([ZeroDivisionError("secret detail")])
    told, (letter,) = await deliver(MESSAGE, handler)
    assert isinstance(told[-1], JobFailed)
    assert told[-1].reason == "an internal error (ZeroDivisionError); see the log"
    assert "secret" not in letter.model_dump_json()
    assert len(handler.handled) == 1


class FullBus(MemoryBus):
    """Refuses the first messages."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self._refusals = refusals

    async def publish(self, message: Message) -> None:
        self._refusals -= 1
        if self._refusals >= 0:
            raise TransientError("the broker takes nothing now")
        await super().publish(message)


async def test_what_the_broker_refuses_for_a_moment_is_told_later() -> None:
    bus, handler = FullBus(refusals=1), Handler()
    service = Service("ingest", {JobRequested: handler}, on_failure, concurrency=1)
    await Delivery(service, bus, RetryPolicy(attempts=1, backoff_s=0.001)).on_message(MESSAGE)
    assert len(handler.handled) == len(bus.published) == 1


class ClosedBus(MemoryBus):
    """Takes nothing, and not for a passing reason."""

    async def publish(self, message: Message) -> None:
        raise PermanentError("the broker refuses us")


async def test_a_message_of_which_nothing_can_be_told_is_handed_back() -> None:
    handed_back: list[Exception] = []
    service = Service("ingest", {JobRequested: Handler()}, on_failure, concurrency=1)
    policy = RetryPolicy(attempts=1, backoff_s=0.001)
    delivery = Delivery(service, ClosedBus(), policy, handed_back.append)
    with pytest.raises(PermanentError, match="the broker refuses us"):
        await delivery.on_message(MESSAGE)
    assert [str(error) for error in handed_back] == ["the broker refuses us"]
