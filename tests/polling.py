"""Waiting for something to come true, without guessing how long it takes."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable


async def until(condition: Callable[[], object], *, within_s: float = 30) -> None:
    """Return as soon as the condition holds, which may be async; fail when it does not in time."""
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        holds = condition()
        if await holds if inspect.isawaitable(holds) else holds:
            return
        assert asyncio.get_running_loop().time() < deadline, "it did not come true in time"
        await asyncio.sleep(0.005)
