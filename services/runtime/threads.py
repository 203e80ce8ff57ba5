"""Blocking code beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
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
