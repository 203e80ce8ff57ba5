"""A broker or a Redis that goes down and comes back: nothing is lost meanwhile."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, RedisError

from services.runtime.artifacts import Artifacts
from services.runtime.bus import Bus, Message, Slots
from services.runtime.bus.kafka import KafkaBus
from services.runtime.bus.redis_streams import RedisBus
from services.runtime.embedded import redis_binary
from services.runtime.errors import TransientError
from services.runtime.results import Recipe, Results
from services.runtime.retry import RetryPolicy
from services.runtime.topics import Shapes
from tests.conftest import ROOT, without
from tests.polling import until
from voxmesh_schemas import Stage

TOPIC = "speech.transcribed"
OUTAGE_S = float(os.environ.get("VOXMESH_TEST_OUTAGE_S", "5"))
"""Longer than anything here waits at once; a minute where there is time."""


class OwnRedis:
    """A redis-server that can be killed and brought back with what it had."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = f"unix://{folder}/redis.sock"
        self.start()

    def start(self) -> None:
        options = {"port": "0", "unixsocket": f"{self._folder}/redis.sock", "save": ""}
        options |= {"dir": str(self._folder), "appendonly": "yes", "appendfsync": "always"}
        parts = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._server = subprocess.Popen([redis_binary(), *parts], stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self._server.send_signal(signal.SIGKILL)
        self._server.wait()

    def bus(self) -> Bus:
        return RedisBus(self.url, prefix="")


class OwnKafka:
    """A Kafka that can be killed and brought back with what it had."""

    def __init__(self, folder: Path) -> None:
        self._environment = os.environ | {
            "VOXMESH_KAFKA_HOME": str(folder),
            "VOXMESH_KAFKA_PORT": "0",
        }
        self.start = lambda: self._do("restart")
        self.kill = lambda: self._do("kill")
        self.servers = self._do("start").removeprefix("kafka://")

    def _do(self, *what: str) -> str:
        done = subprocess.run(
            [ROOT / "scripts" / "kafka", *what],
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def stop(self) -> None:
        self._do("stop", "--purge")

    def bus(self) -> Bus:
        return KafkaBus(self.servers, prefix="", shapes=Shapes(partitions=2), replication=1)


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    with tempfile.TemporaryDirectory(prefix="vm-") as folder:  # a socket's path has to be short
        server = OwnRedis(Path(folder))
        yield server
        server.kill()


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[OwnKafka]:
    if not shutil.which("java"):
        without("no Kafka: Java is not installed")
    broker = OwnKafka(tmp_path / "kafka")
    yield broker
    broker.stop()


@pytest.fixture(
    params=[
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("kafka", marks=pytest.mark.kafka),
    ]
)
def broker(request: pytest.FixtureRequest) -> OwnRedis | OwnKafka:
    found: OwnRedis | OwnKafka = request.getfixturevalue(request.param)
    return found


@dataclass
class Worker:
    """Acknowledges what it is let."""

    bus: Bus
    let: asyncio.Event
    started: set[str]
    done: set[str]

    async def __call__(self, message: Message) -> None:
        name = message.body.decode()
        self.started.add(name)
        await self.let.wait()
        self.done.add(name)


@asynccontextmanager
async def working(bus: Bus) -> AsyncIterator[Worker]:
    worker = Worker(bus, asyncio.Event(), set(), set())
    bus.subscribe([TOPIC], group="merge", on_message=worker, slots=Slots(4))

    async def started() -> bool:
        try:
            await bus.start()
        except TransientError:
            return False
        return True

    await until(started)
    try:
        yield worker
    finally:
        await bus.stop(0)


async def publish(bus: Bus, *names: str) -> None:
    patient = RetryPolicy(attempts=100, backoff_s=0.1, longest_s=1)
    for name in names:
        message = Message(TOPIC, name, name.encode())
        await patient.run(lambda message=message: bus.publish(message))  # type: ignore[misc]


async def outage(broker: OwnRedis | OwnKafka) -> None:
    await asyncio.to_thread(broker.kill)
    await asyncio.sleep(OUTAGE_S)  # the outage itself; nothing is waited for
    await asyncio.to_thread(broker.start)


async def test_a_broker_that_comes_back_has_lost_nothing(broker: OwnRedis | OwnKafka) -> None:
    before, during = {"a", "b", "c"}, {"d", "e"}
    async with working(broker.bus()) as worker:
        await publish(worker.bus, *before)
        await until(lambda: worker.started == before)
        down = asyncio.create_task(outage(broker))
        await asyncio.sleep(0.5)
        publishing = asyncio.create_task(publish(worker.bus, *during))
        worker.let.set()  # done while nobody can be told
        await down
        await asyncio.wait_for(publishing, 60)
        await until(lambda: worker.done == before | during, within_s=60)

        async def all_acknowledged() -> bool:
            return not sum((await worker.bus.lag()).values())

        await publish(worker.bus, "last")  # on Kafka the next commit covers one that failed
        await publish(worker.bus, "very last")
        await until(all_acknowledged, within_s=60)


async def test_leases_wait_for_a_redis_that_comes_back(redis: OwnRedis, tmp_path: Path) -> None:
    computed: list[str] = []

    async def compute() -> bytes:
        computed.append("once")
        await until(lambda: let.is_set(), within_s=60)
        return b"{}"

    let = asyncio.Event()
    recipe = Recipe(Stage.TRANSCRIBE, "maker", "1", {}, "0")
    patient = RetryPolicy(attempts=100, backoff_s=0.1, longest_s=1)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Redis.from_url(redis.url)) for _ in range(2)]
        await until(lambda: answers(clients[0]))
        store = Artifacts.at(str(tmp_path / "store"))
        first, second = (Results(store, c, lease_s=2, prefix="") for c in clients)
        holder = asyncio.create_task(first.get_or_compute(recipe, compute))
        await until(lambda: computed)
        down = asyncio.create_task(outage(redis))
        await asyncio.sleep(0.5)
        waiting = asyncio.create_task(patient.run(lambda: second.get_or_compute(recipe, compute)))
        let.set()
        made = await holder  # stored, though the lease was lost
        await down
        assert (await waiting).artifact == made.artifact
    assert computed == ["once"]


async def answers(client: Redis) -> bool:
    try:
        return bool(await client.ping())
    except (RedisError, BusyLoadingError):
        return False
