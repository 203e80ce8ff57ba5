"""Loops that end when they are told to."""

from __future__ import annotations

import asyncio


def raise_if_cancelled() -> None:
    """End the task if someone has cancelled it, even if the cancellation was lost on the way.

    redis-py sends with `asyncio.wait_for`, which before Python 3.12 drops a cancellation that comes
    just as it is done (python/cpython#86296). A loop over Redis would then never end.
    """
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError
