"""Circuit breakers: an engine that keeps failing is left alone for a while.

closed: it is asked. open: it failed so often in a row that it is not asked until it has rested.
half-open: it has rested, and one chunk finds out whether it works again. After Nygard, "Release
It!", chapter "Stability Patterns".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from services.runtime.errors import ExhaustedError, TransientError
from services.runtime.telemetry import BREAKERS
from voxmesh_schemas import Stage


class BreakerState(StrEnum):
    """Whether an engine is asked."""

    CLOSED = "closed"
    HALF_OPEN = "half-open"
    OPEN = "open"


@dataclass
class Breaker:
    """The breaker of one engine in this process."""

    stage: Stage
    engine: str
    failures: int
    """Passing failures in a row that open it."""
    rest_s: float
    patient: bool
    """Who finds it open waits where it is, as there is no retry topic to wait in."""
    clock: Callable[[], float] = time.monotonic
    _failed: int = 0
    _rested_at: float = 0.0
    _probing: bool = False

    @property
    def state(self) -> BreakerState:
        """Whether the engine is asked now."""
        if self._failed < self.failures:
            return BreakerState.CLOSED
        rested = self.clock() >= self._rested_at and not self._probing
        return BreakerState.HALF_OPEN if rested else BreakerState.OPEN

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Ask the engine in the block.

        Raises:
            TransientError: when it is not to be asked now; says when to come again.
        """
        state = self.state
        if state is BreakerState.OPEN:
            left_s = max(self._rested_at - self.clock(), 0.0) or self.rest_s
            kind = TransientError if self.patient else ExhaustedError
            sentence = f"the engine {self.engine} failed {self._failed} times in a row and rests"
            raise kind(sentence, retry_after_s=left_s)
        probes = state is BreakerState.HALF_OPEN
        self._probing = self._probing or probes
        try:
            yield
        except TransientError as error:
            self._failed += 1
            self._rested_at = self.clock() + max(self.rest_s, error.retry_after_s or 0.0)
            raise
        except Exception:
            self._failed = 0  # it has answered, if not as one would wish
            raise
        else:
            self._failed = 0
        finally:
            if probes:
                self._probing = False


@dataclass
class Breakers:
    """The breakers of all engines in this process."""

    failures: int
    rest_s: float
    patient: bool
    _made: dict[tuple[Stage, str], Breaker] = field(default_factory=dict)

    def of(self, stage: Stage, engine: str) -> Breaker:
        """The breaker of an engine."""
        made = self._made.get((stage, engine))
        if made is None:
            made = Breaker(stage, engine, self.failures, self.rest_s, self.patient)
            self._made[stage, engine] = made
            gauge, states = BREAKERS.labels(stage, engine), list(BreakerState)
            gauge.set_function(lambda: states.index(made.state))
        return made

    def state(self, stage: Stage, engine: str) -> BreakerState:
        """How an engine's breaker stands; closed when it was never asked."""
        made = self._made.get((stage, engine))
        return made.state if made else BreakerState.CLOSED
