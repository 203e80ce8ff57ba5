"""`voxmesh submit` and `watch`: jobs for a mesh that runs elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from rich.console import Console

from services.cli.exits import SUCCESS
from services.cli.progress import JobBars
from services.cli.request import as_source, folder_names, local_path
from services.cli.run import check_folder, outcomes, report_of
from services.cli.summary import JobReport, print_json, print_report, worst
from services.runtime.artifacts import Artifacts
from services.runtime.bus import make_bus
from services.runtime.client import Client
from services.runtime.errors import BadInputError
from services.runtime.logs import configure_logs
from services.runtime.settings import MeshSettings
from voxmesh_schemas import JobOptions, JobRequested, Priority


def submit(
    texts: Sequence[str],
    options: JobOptions,
    output: Path,
    broker: str,
    *,
    priority: str,
    wait: bool,
    as_json: bool,
) -> int:
    """Ask for a job per source; gives the exit code of the worst when it waits."""
    if wait:
        check_folder(output)
    for path in filter(None, map(local_path, texts)):
        if not path.is_file():
            raise BadInputError(f"{path} is not a file that can be sent")
    wanted = Priority(priority)
    return asyncio.run(_submit(texts, options, output, broker, wanted, wait=wait, as_json=as_json))


async def _submit(
    texts: Sequence[str],
    options: JobOptions,
    output: Path,
    broker: str,
    priority: Priority,
    *,
    wait: bool,
    as_json: bool,
) -> int:
    console = Console(stderr=as_json)
    async with connected(broker) as client:
        requests = [await _request(client, text, options, priority) for text in texts]
        names = {request.job_id: request.source.name or request.source.uri for request in requests}
        if not wait:
            for request in requests:
                await client.submit(request)
                print(request.job_id)  # noqa: T201 -- the command's own output
            return SUCCESS
        return await _watched(client, names, output, console, requests, as_json=as_json)


def watch(job_id: str, output: Path | None, broker: str, *, as_json: bool) -> int:
    """Show a job to its end; gives its exit code."""
    if output is not None:
        check_folder(output)

    async def _watch() -> int:
        async with connected(broker) as client:
            console = Console(stderr=as_json)
            return await _watched(client, {job_id: job_id}, output, console, as_json=as_json)

    return asyncio.run(_watch())


async def _request(
    client: Client, text: str, options: JobOptions, priority: Priority
) -> JobRequested:
    """A request for a source; a file of this machine is sent along."""
    job_id, path = uuid4().hex, local_path(text)
    source = await client.upload(job_id, path) if path else as_source(text)
    return JobRequested(job_id=job_id, source=source, options=options, priority=priority)


async def _watched(
    client: Client,
    names: dict[str, str],
    output: Path | None,
    console: Console,
    requests: Sequence[JobRequested] = (),
    *,
    as_json: bool,
) -> int:
    started = time.monotonic()
    folders = dict(zip(names, folder_names(names.values()), strict=True))
    reports: list[JobReport] = []
    async with client.watching() as events:
        for request in requests:
            await client.submit(request)
        with JobBars(console, names) as bars:
            async for outcome in outcomes(client, events, set(names), bars):
                folder = output / folders[outcome.job_id] if output and len(names) > 1 else output
                wall_ms = round((time.monotonic() - started) * 1000)
                name = names[outcome.job_id]
                reports.append(await report_of(client, outcome, name, folder, wall_ms))
    if as_json:
        print_json(reports)
    else:
        for report in reports:
            print_report(console, report)
    return worst(reports)


@asynccontextmanager
async def connected(broker: str) -> AsyncIterator[Client]:
    """A client of the mesh on a broker."""
    settings = MeshSettings().model_copy(update={"broker": broker})
    configure_logs(settings.model_copy(update={"log_level": "error"}))
    bus = make_bus(settings)
    artifacts = Artifacts.at(settings.store or str(settings.state_dir / "store"))
    try:
        await bus.start()
        yield Client(bus, artifacts)
    finally:
        await bus.stop(0)
