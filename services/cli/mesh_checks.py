"""`voxmesh doctor --broker`: the mesh that runs on a broker."""

from __future__ import annotations

import asyncio

from services.cli.brokers import mesh_topics, started_bus
from services.cli.check import Check
from services.runtime.breaker import BreakerState
from services.runtime.errors import VoxmeshError
from services.runtime.mesh import connected
from services.runtime.roster import Roster
from services.runtime.settings import MeshSettings
from voxmesh_schemas import ENGINE_STAGES, Stage


def mesh_checks(broker: str) -> list[Check]:
    """Whether the broker answers, its topics are as they should be, and engines are up."""

    async def run() -> list[Check]:
        return [await _topics(broker), *await _engines(broker)]

    return asyncio.run(run())


async def _topics(broker: str) -> Check:
    try:
        async with started_bus(broker) as bus:
            found = await bus.topic_differences(mesh_topics())
    except VoxmeshError as error:
        return Check("broker", fine=False, finding=str(error))
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        finding = f"{'; '.join(found[:3])}{more}: voxmesh topics create makes what is missing"
        return Check("topics", fine=False, finding=finding, needed=False)
    return Check("topics", fine=True, finding="all there, as the settings have them")


async def _engines(broker: str) -> list[Check]:
    settings = MeshSettings().model_copy(update={"broker": broker})
    try:
        async with connected(settings) as mesh:
            return [await _stage(mesh.roster, stage) for stage in ENGINE_STAGES]
    except VoxmeshError as error:
        return [Check("engines of the mesh", fine=False, finding=str(error), needed=False)]


async def _stage(roster: Roster, stage: Stage) -> Check:
    usable = [status for status in await roster.engines(stage) if status.usable]
    asked = [status for status in usable if status.breaker != BreakerState.OPEN]
    names = ", ".join(f"{status.name} (breaker {status.breaker})" for status in usable)
    finding = names or "no service of this stage that has a usable engine is up"
    return Check(f"{stage} in the mesh", fine=bool(asked), finding=finding, needed=False)
