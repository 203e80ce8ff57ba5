"""`voxmesh run`: the whole mesh in one process, on a private Redis, for the jobs at hand."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

from redis.asyncio import Redis
from rich.console import Console

from services.cli.mesh_services import NAMES, wired
from services.cli.progress import JobBars
from services.cli.request import as_source, folder_names, local_path
from services.cli.summary import JobReport, print_json, print_report, worst
from services.runtime.client import Client
from services.runtime.embedded import private_redis
from services.runtime.errors import BadInputError, PermanentError, TransientError, VoxmeshError
from services.runtime.logs import configure_logs
from services.runtime.mesh import Mesh
from services.runtime.settings import MeshSettings
from services.runtime.workers import WorkerProcesses
from voxmesh_schemas import (
    Event,
    JobCompleted,
    JobFailed,
    JobOptions,
    JobRequested,
    Source,
)


def run(
    texts: Sequence[str],
    options: JobOptions,
    output: Path,
    state_dir: Path | None,
    *,
    playlist: bool,
    as_json: bool,
) -> int:
    """Caption every source; gives the exit code."""
    settings = MeshSettings() if state_dir is None else MeshSettings(state_dir=state_dir)
    settings = settings.model_copy(
        # A person waits: what fails in place is given up, and the next run tries it again.
        update={
            "log_level": "error",
            "grace_s": 1.0,
            "retry_delays_s": (),
            "replay_within_s": 0.0,
        }
    )
    configure_logs(settings)
    check_folder(output)
    sources = expanded(texts, playlist=playlist)
    console = Console(stderr=as_json)
    return asyncio.run(_run(sources, options, output, settings, console, as_json=as_json))


def check_folder(folder: Path) -> None:
    """Make sure of the output folder before any work is done.

    Raises:
        BadInputError: when files cannot be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".voxmesh"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BadInputError(f"cannot write captions to {folder}: {error.strerror}") from error


def expanded(texts: Sequence[str], *, playlist: bool) -> list[Source]:
    """The sources to caption, entries of playlists included when they are wanted."""
    sources = [as_source(text) for text in texts]
    if not playlist:
        return sources
    from services.ingest.sources import SourcePolicy, expand

    policy = SourcePolicy(local_files=True, private_networks=True, playlists=True)
    return [entry for source in sources for entry in expand(source, policy)]


async def _run(
    sources: Sequence[Source],
    options: JobOptions,
    output: Path,
    settings: MeshSettings,
    console: Console,
    *,
    as_json: bool,
) -> int:
    started = time.monotonic()
    folder = settings.state_dir / "runs" / fingerprint(sources, options)
    requests = _requests(folder, sources, options)
    reports: list[JobReport] = []
    trouble: asyncio.Queue[Exception] = asyncio.Queue()
    async with _embedded(folder, settings, trouble) as mesh:
        async for report in _reports(mesh, requests, output, console, started, trouble):
            reports.append(report)
            if not as_json:
                print_report(console, report)
    # Only an unfinished run leaves its state, to go on from; what engines found is always kept.
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(VoxmeshError):
        for request in requests:
            await mesh.artifacts.delete_all(f"jobs/{request.job_id}/")
    if as_json:
        print_json(reports)
    return worst(reports)


def fingerprint(sources: Sequence[Source], options: JobOptions) -> str:
    """What makes a run the same run, so that it goes on where one that was killed stopped."""
    facts: list[object] = [options.model_dump(mode="json")]
    for source in sources:
        path = local_path(source.uri)
        stat = path.stat() if path and path.exists() else None
        facts.append([source.uri, stat and [stat.st_size, stat.st_mtime_ns]])
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _requests(folder: Path, sources: Sequence[Source], options: JobOptions) -> list[JobRequested]:
    """A request per source, with the job ids of the unfinished run when there is one."""
    kept = folder / "jobs.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if kept.exists():
            job_ids = json.loads(kept.read_text())
        else:
            job_ids = [uuid4().hex for _ in sources]
            beside = kept.with_suffix(".part")
            beside.write_text(json.dumps(job_ids))
            beside.replace(kept)
    except (OSError, ValueError) as error:
        raise PermanentError(f"cannot keep the run's state in {folder}: {error}") from error
    return [
        JobRequested(job_id=job_id, source=source, options=options)
        for job_id, source in zip(job_ids, sources, strict=True)
    ]


@asynccontextmanager
async def _embedded(
    folder: Path, settings: MeshSettings, trouble: asyncio.Queue[Exception]
) -> AsyncIterator[Mesh]:
    """All services, in this process, until the block ends."""
    from services.ingest import app as ingest
    from services.ingest.settings import IngestSettings
    from services.runtime.bus.redis_streams import RedisBus

    async with private_redis(folder / "redis") as url, Redis.from_url(url) as redis:
        workers = WorkerProcesses(settings.cores)
        try:
            bus = RedisBus(url, prefix=settings.topic_prefix)
            mesh = Mesh.joined(settings, bus=bus, redis=redis, workers=workers)
            await mesh.results.release_all()
            # The person at this machine may read its files and reach its network anyway.
            own = IngestSettings(local_files=True, private_networks=True)
            services = [ingest.service(mesh, own), *wired(mesh, NAMES[1:])]
            async with mesh.serving(services, trouble.put_nowait):
                yield mesh
        finally:
            await workers.aclose()


async def _reports(
    mesh: Mesh,
    requests: Sequence[JobRequested],
    output: Path,
    console: Console,
    started: float,
    trouble: asyncio.Queue[Exception],
) -> AsyncIterator[JobReport]:
    """A report per job, as soon as it has ended."""
    client = Client(mesh.bus, mesh.artifacts)
    names = {r.job_id: r.source.name or r.source.uri for r in requests}
    folders = dict(zip(names, folder_names(names.values()), strict=True))
    async with client.watching() as events:
        for request in requests:
            await client.submit(request)
        with JobBars(console, names) as bars:
            async for outcome in outcomes(client, or_trouble(events, trouble), set(names), bars):
                folder = output if len(names) == 1 else output / folders[outcome.job_id]
                wall_ms = round((time.monotonic() - started) * 1000)
                yield await report_of(client, outcome, names[outcome.job_id], folder, wall_ms)


async def or_trouble(
    events: AsyncIterator[Event], trouble: asyncio.Queue[Exception]
) -> AsyncIterator[Event]:
    """The events as they come.

    Raises:
        TransientError: when a service of this process can tell nothing any more (say, a full disk).
    """
    broken = asyncio.ensure_future(trouble.get())
    coming = asyncio.ensure_future(anext(events))
    try:
        while True:
            await asyncio.wait({coming, broken}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                reason = broken.result()
                raise TransientError(f"{reason}; the same command goes on where this one stopped")
            yield coming.result()
            coming = asyncio.ensure_future(anext(events))
    finally:
        broken.cancel()
        coming.cancel()
        # Seen to its end here: later the broker is gone, and its error would be nobody's.
        await asyncio.gather(coming, return_exceptions=True)


async def outcomes(
    client: Client, events: AsyncIterator[Event], waiting: set[str], bars: JobBars
) -> AsyncIterator[JobCompleted | JobFailed]:
    """How each job ends, in the order in which they do."""
    for job_id in sorted(waiting):
        ended = await client.outcome(job_id)
        if ended:
            waiting.discard(job_id)
            yield ended
    if not waiting:
        return
    async for event in events:
        if event.job_id not in waiting:
            continue
        bars.show(event)
        if isinstance(event, JobCompleted | JobFailed):
            waiting.discard(event.job_id)
            yield event
            if not waiting:
                return


async def report_of(
    client: Client,
    outcome: JobCompleted | JobFailed,
    name: str,
    folder: Path | None,
    wall_ms: int,
) -> JobReport:
    """Fetch a job's files and tell how it ended."""
    if isinstance(outcome, JobFailed):
        return JobReport(name, outcome, wall_ms)
    files = [await client.fetch(output, folder) for output in outcome.outputs if folder]
    return JobReport(name, outcome, wall_ms, files, await client.transcript(outcome))
