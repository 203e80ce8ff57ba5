"""Blocking code beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def in_thread(items: Iterator[T]) -> AsyncIterator[T]:
    """The items of a blocking iterator, each made in a thread while the one before is in use."""
    end = object()
    coming = asyncio.create_task(asyncio.to_thread(next, items, end))
    try:
        while (item := await coming) is not end:
            coming = asyncio.create_task(asyncio.to_thread(next, items, end))
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
