"""`voxmesh engines` and `doctor`: what works here, and what to do about the rest."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.metadata import version
from platform import python_version
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.cli.check import Check
from services.cli.exits import FAILURE, SUCCESS
from services.runtime.artifacts import Artifacts
from services.runtime.embedded import redis_binary
from services.runtime.engines import hub_reachable
from services.runtime.errors import VoxmeshError
from services.runtime.roster import EngineStatus
from services.runtime.settings import MeshSettings
from services.runtime.status import Look
from voxmesh_schemas import ENGINE_STAGES, Stage

SETTINGS_OF = {
    "transcribe": "TranscribeSettings",
    "diarize": "DiarizeSettings",
    "emotion": "EmotionSettings",
}


def engine_looks() -> dict[Stage, Look]:
    """How to find out which engines work in this environment, by stage."""
    found: dict[Stage, Look] = {}
    for service, settings in SETTINGS_OF.items():
        app = import_module(f"services.{service}.app")
        made = getattr(import_module(f"services.{service}.settings"), settings)()
        found |= app.engine_looks(made)
    return {stage: found[stage] for stage in ENGINE_STAGES}


def statuses() -> dict[Stage, Sequence[EngineStatus]]:
    """How every engine stands here; all stages are asked at once."""
    looks = engine_looks()
    with ThreadPoolExecutor(len(looks)) as threads:
        return dict(zip(looks, threads.map(lambda look: look(), looks.values()), strict=True))


def engines(*, as_json: bool) -> int:
    """List every engine."""
    found = statuses()
    if as_json:
        _print_json(_engine_records(found))
    else:
        _print_engines(Console(), found)
    return SUCCESS


def doctor(broker: str | None = None, *, as_json: bool) -> int:
    """Check the environment; fails when a job could not even be transcribed."""
    found = statuses()
    checks = [check() for check in (_python, _redis, _store, _hub)]
    if broker:
        from services.cli.mesh_checks import mesh_checks

        checks += mesh_checks(broker)
    broken = not all(check.fine for check in checks if check.needed)
    deaf = not any(s.usable and not s.sends_audio_to for s in found[Stage.TRANSCRIBE])
    if as_json:
        records = [vars(check) for check in checks]
        _print_json({"checks": records, "engines": _engine_records(found)})
    else:
        console = Console()
        for check in checks:
            colour = "green" if check.fine else "red" if check.needed else "yellow"
            console.print(f"[{colour}]{'ok' if check.fine else 'no'}[/]  {check.name}: ", end="")
            console.print(check.finding, markup=False, highlight=False)
        _print_engines(console, found)
    return FAILURE if broken or deaf else SUCCESS


def _python() -> Check:
    return Check("voxmesh", fine=True, finding=f"{version('voxmesh')} on Python {python_version()}")


def _redis() -> Check:
    try:
        return Check("redis-server", fine=True, finding=redis_binary())
    except VoxmeshError as error:
        return Check("redis-server", fine=False, finding=str(error))


def _store() -> Check:
    settings = MeshSettings()
    place = settings.store or str(settings.state_dir / "store")

    async def probe() -> None:
        artifacts = Artifacts.at(place)
        await artifacts.put("probe/doctor", b"", "text/plain")
        await artifacts.delete_all("probe/")

    try:
        asyncio.run(probe())
    except VoxmeshError as error:
        return Check("artifact store", fine=False, finding=str(error))
    return Check("artifact store", fine=True, finding=f"{place} can be written")


def _hub() -> Check:
    reached = hub_reachable()
    finding = "reachable" if reached else "not reachable: only models that are here already work"
    return Check("model hub", fine=reached, finding=finding, needed=False)


def _engine_records(found: dict[Stage, Sequence[EngineStatus]]) -> dict[str, Any]:
    return {
        stage.value: [status.model_dump(mode="json") for status in listed]
        for stage, listed in found.items()
    }


def _print_engines(console: Console, found: dict[Stage, Sequence[EngineStatus]]) -> None:
    # Rows that wrap within their column stay readable on a narrow terminal.
    for stage, listed in found.items():
        console.print(f"\n{stage}", style="bold")
        rows = Table.grid(padding=(0, 2))
        for status in listed:
            mark = "[green]usable[/]" if status.usable else "[red]no[/]"
            todo = f"\n-> {status.remedy}" if status.remedy else ""
            model = f" ({status.model})" if status.model else ""
            rows.add_row("  " + mark, escape(status.name), escape(status.reason + model + todo))
        console.print(rows)


def _print_json(record: object) -> None:
    json.dump(record, sys.stdout, indent=2)
    sys.stdout.write("\n")
