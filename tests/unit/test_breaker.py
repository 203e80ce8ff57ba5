"""An engine that keeps failing is left alone for a while."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from services.runtime.breaker import Breaker, Breakers, BreakerState
from services.runtime.errors import ExhaustedError, PermanentError, TransientError
from voxmesh_schemas import Stage

BUSY = TransientError("the device is busy")


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def breaker(clock: Clock, *, patient: bool = False) -> Breaker:
    return Breaker(Stage.DIARIZE, "acoustic", 3, 30.0, patient, clock)


def ask(asked: Breaker, error: Exception | None = None) -> None:
    with asked.guarding():
        if error:
            raise error


def fail(asked: Breaker, times: int, error: Exception = BUSY) -> None:
    for _ in range(times):
        with pytest.raises(type(error), match=str(error)):
            ask(asked, error)


def test_so_many_failures_in_a_row_open_it_and_it_tells_when_to_come_again() -> None:
    clock = Clock()
    asked = breaker(clock)
    fail(asked, 2)
    ask(asked)
    fail(asked, 2)
    assert asked.state is BreakerState.CLOSED
    fail(asked, 1)
    clock.now = 10.0
    assert asked.state is BreakerState.OPEN
    with pytest.raises(ExhaustedError, match="failed 3 times in a row and rests") as refusal:
        ask(asked)
    assert refusal.value.retry_after_s == 20.0


def test_rested_it_lets_one_find_out_for_all() -> None:
    clock = Clock()
    asked = breaker(clock)
    fail(asked, 3)
    clock.now = 30.0
    assert asked.state is BreakerState.HALF_OPEN
    with asked.guarding():
        assert asked.state is BreakerState.OPEN
        with pytest.raises(TransientError, match="rests"):
            ask(asked)
    assert asked.state is BreakerState.CLOSED


def test_what_still_fails_rests_again() -> None:
    clock = Clock()
    asked = breaker(clock)
    fail(asked, 3)
    clock.now = 30.0
    fail(asked, 1, TransientError("quota", retry_after_s=100.0))
    clock.now = 129.0
    assert asked.state is BreakerState.OPEN
    clock.now = 130.0
    assert asked.state is BreakerState.HALF_OPEN


def test_a_chunk_that_cannot_be_done_says_nothing_against_the_engine() -> None:
    asked = breaker(Clock())
    fail(asked, 9, PermanentError("it is damaged"))
    assert asked.state is BreakerState.CLOSED


def test_who_has_nowhere_else_to_wait_waits_where_it_is() -> None:
    asked = breaker(Clock(), patient=True)
    fail(asked, 3)
    with pytest.raises(TransientError) as refusal:
        ask(asked)
    assert not isinstance(refusal.value, ExhaustedError)


def test_its_state_is_a_metric() -> None:
    breakers = Breakers(failures=1, rest_s=1e6, patient=False)
    labels = {"stage": "diarize", "engine": "acoustic"}
    assert breakers.state(Stage.DIARIZE, "acoustic") is BreakerState.CLOSED
    fail(breakers.of(Stage.DIARIZE, "acoustic"), 1)
    assert REGISTRY.get_sample_value("voxmesh_engine_breaker_state", labels) == 2
    assert breakers.state(Stage.DIARIZE, "acoustic") is BreakerState.OPEN
