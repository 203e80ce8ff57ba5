"""Trying again after a passing failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import pytest

from services.runtime.errors import PermanentError, TransientError
from services.runtime.retry import RetryPolicy

PROMPT = RetryPolicy(attempts=4, backoff_s=0.001)


def failing_with(errors: Iterable[Exception]) -> tuple[Callable[[], Awaitable[str]], list[object]]:
    """Work that raises each error in turn and then succeeds, and a list with an entry per try."""
    coming, tries = iter(errors), list[object]()

    async def work() -> str:
        tries.append(None)
        error = next(coming, None)
        if error:
            raise error
        return "done"

    return work, tries


async def test_what_goes_well_is_done_once() -> None:
    work, tries = failing_with([])
    assert (await PROMPT.run(work), len(tries)) == ("done", 1)


async def test_passing_failures_are_tried_again() -> None:
    work, tries = failing_with([TransientError("busy")] * 3)
    assert (await PROMPT.run(work), len(tries)) == ("done", 4)


async def test_when_all_tries_are_used_up_the_last_failure_is_told() -> None:
    work, tries = failing_with(TransientError(f"busy {number}") for number in range(9))
    with pytest.raises(TransientError, match="busy 3"):
        await PROMPT.run(work)
    assert len(tries) == 4


@pytest.mark.parametrize("error", [PermanentError("never"), ValueError("a bug")])
async def test_other_failures_are_told_at_once(error: Exception) -> None:
    work, tries = failing_with([error])
    with pytest.raises(type(error), match=str(error)):
        await PROMPT.run(work)
    assert len(tries) == 1


async def test_the_other_side_is_left_alone_for_as_long_as_it_asks() -> None:
    work, _ = failing_with([TransientError("quota", retry_after_s=0.05)])
    loop = asyncio.get_running_loop()
    started = loop.time()
    await PROMPT.run(work)
    assert loop.time() - started >= 0.05
