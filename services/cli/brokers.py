"""The broker that a command is told of, and `voxmesh topics`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console

from services.cli.exits import SUCCESS
from services.cli.mesh_services import NAMES
from services.runtime.bus import Bus, make_bus
from services.runtime.logs import configure_logs
from services.runtime.settings import MeshSettings
from services.runtime.topics import all_topics


@asynccontextmanager
async def started_bus(broker: str) -> AsyncIterator[Bus]:
    """A bus on a broker, which subscribes to nothing."""
    settings = MeshSettings().model_copy(update={"broker": broker})
    configure_logs(settings.model_copy(update={"log_level": "error"}))
    bus = make_bus(settings)
    try:
        await bus.start()
        yield bus
    finally:
        await bus.stop(0)


def mesh_topics() -> list[str]:
    """Every topic of a mesh with these settings."""
    return all_topics(NAMES, MeshSettings().retry_delays_s)


def create_topics(broker: str, *, as_json: bool) -> int:
    """Make the topics that are missing."""

    async def run() -> list[str]:
        async with started_bus(broker) as bus:
            return await bus.create_topics(mesh_topics())

    made = asyncio.run(run())
    if as_json:
        json.dump(made, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        Console(highlight=False).print("\n".join([*made, f"{len(made)} topics made"]))
    return SUCCESS
