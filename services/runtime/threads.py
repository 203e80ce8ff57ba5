"""Blocking code beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future
from contextlib import nullcontext
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def in_thread(
    items: Iterator[T], at_once: asyncio.Semaphore | None = None
) -> AsyncGenerator[T, None]:
    """The items of a blocking iterator, each made in a thread while the one before is in use.

    The semaphore is held while one is made.
    """
    end = object()

    async def made() -> object:
        async with at_once or nullcontext():
            return await asyncio.to_thread(next, items, end)

    coming = asyncio.create_task(made())
    try:
        while (item := await coming) is not end:
            coming = asyncio.create_task(made())
            yield item  # type: ignore[misc]  # not the end, so a T
    finally:
        # A thread cannot be interrupted: whoever closes what the iterator reads must wait for it.
        if not coming.done():
            await asyncio.wait([coming])


async def in_daemon_thread(function: Callable[..., T], *args: object) -> T:
    """The function's result, from a thread of its own that the program's end does not wait for."""
    promised: Future[T] = Future()
    Thread(target=_keep, args=(promised, function, args), daemon=True).start()
    return await asyncio.wrap_future(promised)


def _keep(promised: Future[T], function: Callable[..., T], args: tuple[object, ...]) -> None:
    if not promised.set_running_or_notify_cancel():
        return
    try:
        promised.set_result(function(*args))
    except BaseException as error:
        promised.set_exception(error)
