"""Trying again in place after a passing failure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from services.runtime.errors import ExhaustedError, TransientError

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how patiently to try again."""

    attempts: int
    """Tries in all."""
    backoff_s: float
    """Wait before the second try; it doubles, with up to as much jitter again."""
    longest_s: float = 60.0
    """No wait is longer, unless the other side asks for it."""

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work`, tried again while it raises `TransientError`.

        Raises:
            TransientError: of the last try, when all are used up. Other errors come at once.
        """
        trial = AsyncRetrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(self.attempts),
            wait=self._wait,
            before_sleep=_tell,
            reraise=True,
        )

        # tenacity looks at the function to see whether to await it, and a lambda does not show it.
        async def attempt() -> T:
            return await work()

        return await trial(attempt)

    def _wait(self, state: RetryCallState) -> float:
        doubling = wait_exponential(multiplier=self.backoff_s, max=self.longest_s)
        backoff = doubling(state) + wait_random(0, self.backoff_s)(state)
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after_s if isinstance(error, TransientError) else None
        return max(backoff, asked or 0.0)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, TransientError) and not isinstance(error, ExhaustedError)


def _tell(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("trying again", attempt=state.attempt_number, error=str(error))
