"""From a message to a handler and back: written once for all services.

A message is acknowledged (by the bus, when `Delivery.on_message` returns) only after everything the
handler said is published. What cannot be handled goes to `dead-letters` whole, and the service says
what that means for the job, so that a job always ends.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import structlog
from structlog.contextvars import bound_contextvars

from services.runtime.bus.base import Bus, Message
from services.runtime.envelope import to_event, to_message
from services.runtime.errors import BadInputError, PermanentError, TransientError, VoxmeshError
from services.runtime.retry import RetryPolicy
from services.runtime.service import Service
from services.runtime.telemetry import EVENTS, HANDLING, IN_WORK, trace_of, tracer
from voxmesh_schemas import DeadLetter, Event

log = structlog.get_logger(__name__)

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
    ) -> None:
        self._service = service
        self._bus = bus
        self._retry = retry
        self._on_handed_back = on_handed_back
        # Told and not retried for ever: the bus delivers again what was not acknowledged.
        self._publishing = RetryPolicy(attempts=8, backoff_s=0.5, longest_s=15)

    async def on_message(self, message: Message) -> None:
        """Handle a message to its end. Raises only when nothing can be published any more."""
        service, started = self._service.name, time.monotonic()
        IN_WORK.labels(service).inc()
        outcome = "interrupted"
        try:
            with tracer.start_as_current_span(
                f"{service} {message.topic}", context=trace_of(message)
            ):
                outcome = await self._handle(message)
        except Exception as error:
            log.exception("a message is handed back", topic=message.topic)
            if self._on_handed_back:
                self._on_handed_back(error)
            raise
        finally:
            IN_WORK.labels(service).dec()
            EVENTS.labels(service, message.topic, outcome).inc()
            HANDLING.labels(service, message.topic).observe(time.monotonic() - started)

    async def _handle(self, message: Message) -> str:
        try:
            event = to_event(message)
        except PermanentError as error:
            await self._bury(message, error, attempts=1)
            return "poison"
        with bound_contextvars(service=self._service.name, job=event.job_id):
            try:
                await self._retry.run(lambda: self._tell_all(event))
            except VoxmeshError as error:
                await self._give_up(message, event, error)
                return "failed"
            except Exception as error:
                log.exception("a handler broke", topic=message.topic)
                wrapped = PermanentError(f"an internal error ({type(error).__name__}); see the log")
                await self._give_up(message, event, wrapped)
                return "failed"
        return "done"

    async def _tell_all(self, event: Event) -> None:
        handler = self._service.handlers[type(event)]
        async for told in handler(event):
            await self._publish(told)

    async def _publish(self, event: Event) -> None:
        message = to_message(event, producer=self._service.name)
        await self._publishing.run(lambda: self._bus.publish(message))

    async def _give_up(self, message: Message, event: Event, error: VoxmeshError) -> None:
        # A user's mistake is answered to the user; operators have nothing to mend.
        if not isinstance(error, BadInputError):
            log.error("an event could not be handled", topic=message.topic, error=str(error))
            attempts = self._retry.attempts if isinstance(error, TransientError) else 1
            await self._bury(message, error, attempts)
        for told in self._service.on_failure(event, error):
            await self._publish(told)

    async def _bury(self, message: Message, error: VoxmeshError, attempts: int) -> None:
        letter = DeadLetter(
            original_topic=message.topic,
            original_key=message.key,
            headers=dict(message.headers),
            body_base64=base64.b64encode(message.body).decode(),
            group=self._service.name,
            error=str(error),
            attempts=attempts,
        )
        body = letter.model_dump_json().encode()
        dead = Message(topic=DeadLetter.topic, key=message.key, body=body)
        await self._publishing.run(lambda: self._bus.publish(dead))
