"""`voxmesh dead-letters`, on every broker alike."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from services.cli import dead_letters as command
from services.cli.exits import SUCCESS
from services.runtime.bus import Bus, make_bus
from services.runtime.delivery import Delivery
from services.runtime.envelope import to_message
from services.runtime.errors import BadInputError, PermanentError
from services.runtime.logs import configure_logs
from services.runtime.retry import RetryPolicy
from services.runtime.service import Service
from services.runtime.settings import MeshSettings
from tests.integration.brokers import BROKERS
from tests.polling import until
from voxmesh_schemas import Event, JobRequested, Source

Command = Callable[..., int]


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A broker with topics of the test's own, as the environment names it."""
    monkeypatch.setenv("VOXMESH_TOPIC_PREFIX", f"test-{uuid4().hex}.")
    monkeypatch.setenv("VOXMESH_TOPIC_PARTITIONS", "2")
    return str(request.getfixturevalue(f"{request.param}_url"))


class Handler:
    """Refuses every job until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.tries = 0
        self.done: list[str] = []

    async def __call__(self, event: JobRequested) -> AsyncIterator[Event]:
        self.tries += 1
        if not self.mended:
            raise PermanentError("the model is missing")
        self.done.append(event.job_id)
        return
        yield


@asynccontextmanager
async def serving(broker: str, handler: Handler) -> AsyncIterator[Bus]:
    configure_logs(MeshSettings())  # away from standard output, which is the command's
    bus = make_bus(MeshSettings().model_copy(update={"broker": broker}))
    service = Service("ingest", {JobRequested: handler}, lambda event, error: (), concurrency=4)
    Delivery(service, bus, RetryPolicy(1, 0.001)).subscribe()
    await bus.start()
    yield bus
    await bus.stop(0)


async def test_what_nobody_could_handle_is_listed_shown_and_replayed(
    broker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(verb: Command, *arguments: object, **options: object) -> Any:
        capsys.readouterr()
        assert await asyncio.to_thread(verb, *arguments, **options) == SUCCESS
        return json.loads(capsys.readouterr().out)

    async def listed(**options: object) -> Any:
        chosen = {"everything": False, "as_json": True, **options}
        return await run(command.listed, broker, None, **chosen)

    async def replay(ids: list[str], job: str | None = None, **options: object) -> Any:
        return await run(command.replay, ids, broker, job, as_json=True, **options)

    handler = Handler()
    async with serving(broker, handler) as bus:
        for name in ("one", "two", "three"):
            wanted = JobRequested(job_id=name, source=Source(uri="/a"))
            await bus.publish(to_message(wanted, producer="client"))

        async def all_dead() -> bool:
            return len(await listed()) == 3

        await until(all_dead)
        letters = {letter["job"]: letter for letter in await listed()}
        assert set(letters) == {"one", "two", "three"}
        one = letters["one"]
        assert (one["error"], one["group"], one["times"]) == ("the model is missing", "ingest", 1)
        (shown,) = await run(command.show, [one["id"][:12]], broker, as_json=True)
        assert shown == one
        handler.mended = True
        assert await replay([one["id"]], everything=False) == [one["id"]]
        await until(lambda: handler.done == ["one"])
        assert {letter["job"] for letter in await listed()} == {"two", "three"}
        assert len(await listed(everything=True)) == 3
        handler.mended = False
        assert await replay([], "two", everything=False) == [letters["two"]["id"]]

        async def died_again() -> bool:
            return [letter["times"] for letter in await listed() if letter["job"] == "two"] == [2]

        await until(died_again)
        handler.mended = True
        assert len(await replay([], everything=True)) == 2
        await until(lambda: sorted(handler.done) == ["one", "three", "two"])
        assert await listed() == []


async def test_a_replay_of_nothing_in_particular_is_refused(broker: str) -> None:
    with pytest.raises(BadInputError, match="say which"):
        command.replay([], broker, None, everything=False, as_json=True)


async def test_an_id_that_is_of_none_is_refused(broker: str) -> None:
    with pytest.raises(BadInputError, match="no dead letters have an id that begins abc"):
        await asyncio.to_thread(command.show, ["abc"], broker, as_json=True)
