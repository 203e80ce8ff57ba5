"""Where inference runs: worker processes, off the event loop and out of its interpreter.

An engine that computes on one core shares a pool with as many processes as there are cores. One
that spreads over cores or a GPU by itself gets one process of its own. A process that dies takes no
service down: what was in work beside it is done again, and the pool is made anew.

An engine that asks a vendor only waits: it gets a thread of this process, and no core.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from typing import Protocol, TypeVar

from services.runtime.engines import Engine
from services.runtime.errors import PermanentError
from services.runtime.threads import in_daemon_thread
from voxmesh_schemas import Stage

T = TypeVar("T")


class Workers(Protocol):
    """Runs blocking functions for the event loop."""

    async def run(self, function: Callable[..., T], *args: object, pool: str) -> T:
        """The function's result, computed elsewhere; `pool` names who shares processes.

        Raises:
            PermanentError: when its process dies. Errors of the function come through.
        """

    async def aclose(self) -> None:
        """Let go of all processes, in the middle of their work if need be."""


SHARED = "shared"
"""Pool of the engines that compute on one core."""
ALONE = "alone"
"""Pool of one process, for what was in work in a pool that broke."""
NETWORK = "network"
"""Threads of the engines that wait for a vendor."""
_CALLS = 16
"""Of these at once."""


def pool_for(engine: Engine, stage: Stage) -> str:
    """The pool that an engine belongs in."""
    if engine.sends_audio_to:
        return NETWORK
    return stage.value if engine.parallel else SHARED


class WorkerProcesses:
    """Pools of processes, made when first used."""

    def __init__(self, cores: int) -> None:
        self._cores = cores
        self._pools: dict[str, Executor] = {}
        self._alone = asyncio.Lock()
        self._calls = asyncio.Semaphore(_CALLS)

    async def run(self, function: Callable[..., T], *args: object, pool: str) -> T:
        """The function's result, computed in a process or a thread of the pool."""
        if pool == NETWORK:
            async with self._calls:
                return await in_daemon_thread(function, *args)
        executor = self._pools.get(pool) or self._start(pool)
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, function, *args)
        except BrokenProcessPool:
            if self._pools.get(pool) is executor:
                del self._pools[pool]
        # All that was in work in the pool failed with the one that died. Whose fault it was shows
        # when each is tried alone; were all tried together again, all would fail again.
        async with self._alone:
            return await self._try_alone(function, *args)

    async def _try_alone(self, function: Callable[..., T], *args: object) -> T:
        executor = self._start(ALONE)
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, function, *args)
        except BrokenProcessPool as error:
            raise PermanentError(
                "its process dies of this chunk, even alone; perhaps for want of memory"
            ) from error
        finally:
            self._pools.pop(ALONE, None)
            executor.shutdown(wait=False, cancel_futures=True)

    def _start(self, pool: str) -> Executor:
        executor = ProcessPoolExecutor(
            max_workers=self._cores if pool == SHARED else 1,
            # Not fork: a fork of a process with threads can deadlock, and CUDA forbids it.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_follow_the_parent,
        )
        self._pools[pool] = executor
        return executor

    async def aclose(self) -> None:
        """End all processes."""
        for executor in self._pools.values():
            for process in list(getattr(executor, "_processes", {}).values()):
                process.terminate()
            executor.shutdown(wait=True, cancel_futures=True)
        self._pools.clear()


class WorkerThreads:
    """Threads instead of processes, for trying engines out and for tests."""

    def __init__(self, count: int) -> None:
        self._executor = ThreadPoolExecutor(count)

    async def run(self, function: Callable[..., T], *args: object, pool: str) -> T:
        """The function's result, computed in a thread."""
        del pool
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *args)

    async def aclose(self) -> None:
        """Let the threads end."""
        self._executor.shutdown(wait=True, cancel_futures=True)


def _follow_the_parent() -> None:
    """Leave interrupts to the parent, and end when it does, even when it was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
