"""`voxmesh serve`: services against a broker, until told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext

import structlog
from pydantic import SecretStr

from services.cli.exits import SUCCESS
from services.cli.mesh_services import NAMES, chosen, wired
from services.runtime.embedded import private_redis
from services.runtime.health import health_server
from services.runtime.logs import configure_logs
from services.runtime.mesh import connected
from services.runtime.settings import MeshSettings
from services.runtime.telemetry import configure_traces

log = structlog.get_logger(__name__)


def serve(names: Sequence[str], broker: str, health_port: int | None) -> int:
    """Run services; gives the exit code when they have stopped in order."""
    services = chosen(names)
    update = {"broker": broker} | ({} if health_port is None else {"health_port": health_port})
    settings = MeshSettings().model_copy(update=update)
    configure_logs(settings)
    configure_traces("-".join(services) if len(services) < len(NAMES) else "all")
    asyncio.run(_serve(services, settings))
    return SUCCESS


async def _serve(names: Sequence[str], settings: MeshSettings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopping.set)
    ready = False
    health = (
        nullcontext(None)
        if settings.health_port is None
        else health_server(settings.health_host, settings.health_port, lambda: ready)
    )
    with health as port:
        async with (
            _with_redis(settings, names) as joined,
            connected(joined) as mesh,
            mesh.serving(wired(mesh, names)),
        ):
            ready = True
            log.info("serving", services=list(names), health_port=port)
            await stopping.wait()
            ready = False
            log.info("stopping")


@asynccontextmanager
async def _with_redis(settings: MeshSettings, names: Sequence[str]) -> AsyncIterator[MeshSettings]:
    """Kafka needs a Redis beside it; a whole mesh in one process brings its own."""
    whole = set(names) == set(NAMES)
    if settings.redis_url or not settings.broker.startswith("kafka://") or not whole:
        yield settings
        return
    async with private_redis(settings.state_dir / "redis") as url:
        log.info("no VOXMESH_REDIS_URL is set: using a private Redis, for this process alone")
        yield settings.model_copy(update={"redis_url": SecretStr(url)})
