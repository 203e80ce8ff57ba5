"""From a message to a handler and back: written once for all services.

A message is acknowledged (by the bus, when `Delivery.on_message` returns) only after everything the
handler said is published. What fails in a way that may pass is tried again in place and then from
retry topics; what cannot be handled goes to `dead-letters` whole, and the service says what that
means for the job, so that a job always ends.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from structlog.contextvars import bound_contextvars

from services.runtime.bus.base import Bus, HandedBackError, Message
from services.runtime.bus.slots import Slots
from services.runtime.cancellation import raise_if_cancelled
from services.runtime.envelope import to_event, to_message
from services.runtime.errors import (
    BadInputError,
    EngineUnusableError,
    PermanentError,
    TransientError,
    VoxmeshError,
)
from services.runtime.postponing import (
    delay_after,
    postpone,
    read_postponed,
    timestamp,
)
from services.runtime.retry import RetryPolicy
from services.runtime.service import Chore, Service
from services.runtime.telemetry import EVENTS, HANDLING, IN_WORK, trace_of, tracer
from services.runtime.topics import retry_topic
from voxmesh_schemas import DeadLetter, Event, Failure, JobRequested, Priority

log = structlog.get_logger(__name__)

NORMAL = Priority.NORMAL
WEIGHTS = {Priority.HIGH: 16, NORMAL: 4, Priority.LOW: 1}
"""When all of them wait, of 21 free slots so many go to each: low ones come slowly, but come."""
WAITING_AT_ONCE = 100
"""Messages of a retry topic that wait in one process."""
LONGEST_ERROR = 500
"""Characters: an error travels in a header."""

History = tuple[Failure, ...]
"""How a message's handling failed before, the last time last."""

OnHandedBack = Callable[[Exception], None]
"""Hears that a message could not be dealt with, as nothing can be told any more."""


class Delivery:
    """Brings messages to one service's handlers."""

    def __init__(
        self,
        service: Service,
        bus: Bus,
        retry: RetryPolicy,
        on_handed_back: OnHandedBack | None = None,
        *,
        delays_s: Sequence[float] = (),
        ended: Container[str] = (),
    ) -> None:
        self._service = service
        self._bus = bus
        self._retry = retry
        self._on_handed_back = on_handed_back
        self._delays_s = delays_s
        self._ended = ended if service.drops_ended_jobs else ()
        self._in_work: dict[str, set[asyncio.Task[str]]] = {}
        self._stopping = asyncio.Event()
        # Any number of postponed messages may wait, but no more are in work than of others.
        self._postponed_in_work = asyncio.Semaphore(service.concurrency)
        # Told and not retried for ever: the bus delivers again what was not acknowledged.
        self._publishing = RetryPolicy(attempts=8, backoff_s=0.5, longest_s=15)

    def subscribe(self) -> None:
        """Have the bus deliver the service's topics, and its retry topics."""
        name, slots = self._service.name, Slots(self._service.concurrency)
        for priority, weight in WEIGHTS.items():
            events = [e for e in self._service.handlers if e.by_priority or priority is NORMAL]
            if not events:
                continue
            self._bus.subscribe(
                [event.topic_of(priority) for event in events],
                group=name if priority is NORMAL else f"{name}.{priority}",
                on_message=self.on_message,
                slots=slots,
                weight=weight,
            )
        # Each delay has a topic of its own, in which whatever is first is due first.
        for level in range(1, len(self._delays_s) + 1):
            topic = retry_topic(name, level)
            self._bus.subscribe(
                [topic], group=topic, on_message=self.on_postponed, slots=Slots(WAITING_AT_ONCE)
            )

    def stop_waiting(self) -> None:
        """Hand back what only waits for its time."""
        self._stopping.set()

    async def on_message(self, message: Message) -> None:
        """Handle a message to its end. Raises only when nothing can be published any more."""
        await self._dealt_with(message, ())

    async def on_postponed(self, message: Message) -> None:
        """Handle a message of a retry topic, once it is due.

        Raises:
            HandedBackError: when the service stops before.
        """
        try:
            postponed = read_postponed(message)
        except PermanentError as error:
            await self._bury(message, (_failure(error, attempts=1),))
            return
        with suppress(TimeoutError):
            left_s = (postponed.due - datetime.now(UTC)).total_seconds()
            await asyncio.wait_for(self._stopping.wait(), max(left_s, 0))
        if self._stopping.is_set():
            raise HandedBackError
        async with self._postponed_in_work:
            await self._dealt_with(postponed.original, postponed.history)

    def drop(self, job_id: str) -> None:
        """Stop working on a job, if its work is to be dropped when it has ended."""
        if job_id in self._ended:
            for task in self._in_work.get(job_id, ()):
                task.cancel()

    async def do_chores(self) -> None:
        """Do the service's chores until cancelled."""
        chores = self._service.chores.items()
        await asyncio.gather(*(self._keep_doing(chore, every_s) for chore, every_s in chores))

    async def _keep_doing(self, chore: Chore, every_s: float) -> None:
        while True:
            raise_if_cancelled()
            await asyncio.sleep(every_s)
            try:
                async for event in chore():
                    await self._tell(event)
            except VoxmeshError as error:
                log.warning("a chore failed and is done again", error=str(error))
            except Exception:
                log.exception("a chore broke")

    async def _dealt_with(self, message: Message, history: History) -> None:
        service, started = self._service.name, time.monotonic()
        IN_WORK.labels(service).inc()
        outcome = "interrupted"
        try:
            with tracer.start_as_current_span(
                f"{service} {message.topic}", context=trace_of(message)
            ):
                outcome = await self._handle(message, history)
        except Exception as error:
            if isinstance(error, VoxmeshError):
                log.warning("a message is handed back", topic=message.topic, error=str(error))
            else:
                log.exception("a message is handed back", topic=message.topic)
            if self._on_handed_back:
                self._on_handed_back(error)
            raise
        finally:
            IN_WORK.labels(service).dec()
            EVENTS.labels(service, message.topic, outcome).inc()
            HANDLING.labels(service, message.topic).observe(time.monotonic() - started)

    async def _handle(self, message: Message, history: History) -> str:
        try:
            event = to_event(message)
        except PermanentError as error:
            await self._bury(message, (*history, _failure(error, attempts=1)))
            return "poison"
        with bound_contextvars(service=self._service.name, job=event.job_id):
            return await self._unless_ended(message, event, history)

    async def _unless_ended(self, message: Message, event: Event, history: History) -> str:
        """Handle an event in a task of its own, which `drop` can end."""
        # Whoever asks for a job again is told how it ended.
        if event.job_id in self._ended and not isinstance(event, JobRequested):
            return "dropped"
        task = asyncio.create_task(self._handle_event(message, event, history))
        siblings = self._in_work.setdefault(event.job_id, set())
        siblings.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            raise_if_cancelled()  # the service stops, and the message goes to another process
            log.info("work on a job that has ended is dropped", topic=message.topic)
            return "dropped"
        finally:
            siblings.discard(task)
            if not siblings:
                self._in_work.pop(event.job_id, None)

    async def _handle_event(self, message: Message, event: Event, history: History) -> str:
        try:
            await self._retry.run(lambda: self._tell_all(event))
        except TransientError as error:
            history = (*history, _failure(error, self._retry.attempts))
            return await self._later(message, event, error, history)
        except VoxmeshError as error:
            history = (*history, _failure(error, attempts=1))
            return await self._give_up(message, event, error, history)
        except Exception as error:
            log.exception("a handler broke", topic=message.topic)
            wrapped = PermanentError(f"an internal error ({type(error).__name__}); see the log")
            history = (*history, _failure(wrapped, attempts=1))
            return await self._give_up(message, event, wrapped, history)
        return "done"

    async def _tell_all(self, event: Event) -> None:
        handler = self._service.handlers[type(event)]
        async for told in handler(event):
            await self._tell(told)

    async def _tell(self, event: Event) -> None:
        await self._publish(to_message(event, producer=self._service.name))

    async def _publish(self, message: Message) -> None:
        await self._publishing.run(lambda: self._bus.publish(message))

    async def _later(
        self, message: Message, event: Event, error: TransientError, history: History
    ) -> str:
        delay_s = delay_after(len(history), self._delays_s, error.retry_after_s)
        if delay_s is None:
            return await self._give_up(message, event, error, history)
        log.warning("to be tried later", topic=message.topic, in_s=delay_s, error=str(error))
        await self._publish(postpone(message, self._service.name, history, delay_s))
        return "postponed"

    async def _give_up(
        self, message: Message, event: Event, error: VoxmeshError, history: History
    ) -> str:
        # A user's mistake is answered to the user; operators have nothing to mend.
        if not isinstance(error, BadInputError | EngineUnusableError):
            log.warning("an event could not be handled", topic=message.topic, error=str(error))
            await self._bury(message, history)
        for told in self._service.on_failure(event, error):
            await self._tell(told)
        return "failed"

    async def _bury(self, message: Message, history: History) -> None:
        letter = DeadLetter(
            original_topic=message.topic,
            original_key=message.key,
            headers=dict(message.headers),
            body_base64=base64.b64encode(message.body).decode(),
            group=self._service.name,
            error=history[-1].error,
            attempts=sum(failure.attempts for failure in history),
            history=history,
        )
        body = letter.model_dump_json().encode()
        await self._publish(Message(topic=DeadLetter.topic, key=message.key, body=body))


def _failure(error: VoxmeshError, attempts: int) -> Failure:
    sentence = str(error)[:LONGEST_ERROR]
    return Failure(at=timestamp(datetime.now(UTC)), error=sentence, attempts=attempts)
