"""Where engines run: processes for those that compute, threads for those that wait."""

from __future__ import annotations

import asyncio
import threading
from typing import ClassVar

import pytest

from services.cli.stages import usable
from services.runtime.engines import Usability
from services.runtime.registry import Registry
from services.runtime.threads import in_daemon_thread
from services.runtime.workers import NETWORK, SHARED, WorkerProcesses, pool_for
from voxmesh_schemas import Stage


class Engine:
    name: ClassVar[str] = "engine"
    parallel: ClassVar[bool] = False
    sends_audio_to: ClassVar[str | None] = None
    model = "1"

    def __init__(self, settings: object = None) -> None:
        del settings

    def usability(self) -> Usability:
        return Usability(usable=True, reason="made up")


class Spreading(Engine):
    name: ClassVar[str] = "spreading"
    parallel: ClassVar[bool] = True


class Asking(Engine):
    name: ClassVar[str] = "asking"
    sends_audio_to: ClassVar[str | None] = "someone"


@pytest.mark.parametrize(
    ("engine", "pool"),
    [(Engine(), SHARED), (Spreading(), "transcribe"), (Asking(), NETWORK)],
    ids=["one core", "many cores", "a vendor"],
)
def test_an_engine_runs_where_it_is_no_burden(engine: Engine, pool: str) -> None:
    assert pool_for(engine, Stage.TRANSCRIBE) == pool


async def test_more_calls_wait_at_once_than_there_are_cores() -> None:
    workers = WorkerProcesses(cores=1)
    meeting = threading.Barrier(8, timeout=30)
    calls = [workers.run(meeting.wait, pool=NETWORK) for _ in range(8)]
    assert sorted(await asyncio.gather(*calls)) == list(range(8))
    await workers.aclose()


async def test_a_call_that_is_given_up_keeps_nobody_waiting() -> None:
    over = threading.Event()
    call = asyncio.create_task(in_daemon_thread(over.wait))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    over.set()


async def test_errors_of_a_call_come_through() -> None:
    with pytest.raises(ZeroDivisionError):
        await in_daemon_thread(lambda: 1 / 0)


@pytest.mark.parametrize(("wanted", "chosen"), [(None, "spreading"), ("asking", "asking")])
def test_one_stage_alone_sends_audio_away_only_when_told_to(
    wanted: str | None, chosen: str
) -> None:
    engines: Registry[Engine] = Registry(
        Stage.TRANSCRIBE,
        {"asking": f"{__name__}:Asking", "spreading": f"{__name__}:Spreading"},
    )
    assert usable(engines, None, wanted).name == chosen
