"""Working ahead: a producer in a thread of its own, so that its waits and ours overlap."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class _End:
    error: BaseException | None = None


class _Producer(Generic[T]):
    def __init__(self, items: Iterable[T], depth: int) -> None:
        self._items = items
        self._free = threading.Semaphore(depth)
        self._done: SimpleQueue[T | _End] = SimpleQueue()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="read-ahead", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for item in self._items:
                self._done.put(item)
                self._free.acquire()
                if self._stopping:
                    break  # whoever still waits for an item, in another thread, gets the end
            self._done.put(_End())
        except BaseException as error:  # raised again where the items are read
            self._done.put(_End(error))

    def __iter__(self) -> Iterator[T]:
        while not isinstance(item := self._done.get(), _End):
            yield item
            self._free.release()
        if item.error is not None:
            raise item.error

    def stop(self) -> None:
        self._stopping = True
        self._free.release()
        self._thread.join()


@contextmanager
def read_ahead(items: Iterable[T], depth: int) -> Iterator[Iterator[T]]:
    """The same items, made in a thread that is up to `depth` of them ahead.

    What the producer raises is raised here. Leaving stops it after the item in hand.
    """
    producer = _Producer(items, depth)
    try:
        yield iter(producer)
    finally:
        producer.stop()
