"""A service that is told to stop: what it has in work ends, the rest goes to another."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.runtime.artifacts import Artifacts
from services.runtime.bus.redis_streams import RedisBus
from services.runtime.client import Client
from services.runtime.envelope import to_event
from tests.command import Command, command
from tests.mesh.beeps import conversation, write_wav
from tests.mesh.running import engines, request
from tests.polling import until
from voxmesh_schemas import JobCompleted, SpeechTranscribed


@contextmanager
def serving(voxmesh: Command, broker: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process with all services, and the port of its health."""
    process = voxmesh.start("serve", "all", "--broker", broker, "--health-port", "0")
    try:
        assert process.stderr
        for line in process.stderr:
            record = json.loads(line)
            if record["event"] == "serving":
                break
        yield process, record["health_port"]
    finally:
        process.kill()
        process.communicate()


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False


@pytest.mark.redis
async def test_it_is_not_ready_first_and_then_ends_its_work_and_hands_on_the_rest(
    redis_url: str, tmp_path: Path
) -> None:
    recording = write_wav(tmp_path / "talk.wav", conversation(110, loudest=(50,)))
    wanted = request("job", recording, engines=engines(transcribe="beeps-slow"))
    store = str(tmp_path / "store")
    settings = {
        "VOXMESH_STORE": store,
        "VOXMESH_LOG_FORMAT": "json",
        "VOXMESH_LOG_LEVEL": "info",
        "VOXMESH_INGEST_LOCAL_FILES": "true",
        "VOXMESH_TEST_DELAY_S": "3",
        "VOXMESH_PROCESSES": "1",
    }
    bus = RedisBus(redis_url, prefix="")
    client = Client(bus, Artifacts.at(store))
    await bus.start()

    async def heard() -> list[SpeechTranscribed]:
        events = [to_event(m) async for m in bus.kept(SpeechTranscribed.topic)]
        return [event for event in events if isinstance(event, SpeechTranscribed)]

    with command(tmp_path, **settings) as voxmesh:
        with serving(voxmesh, redis_url) as (process, port):
            assert await asyncio.to_thread(is_ready, port)
            await client.submit(wanted)
            await until(heard, within_s=60)
            process.send_signal(signal.SIGTERM)
            await until(lambda: not is_ready(port))
            assert process.poll() is None, "it ends its work first"
            assert await asyncio.to_thread(process.wait, 40) == 0
        before = len(await heard())
        assert before < 4
        with serving(voxmesh, redis_url):

            async def outcome() -> bool:
                return isinstance(await client.outcome("job"), JobCompleted)

            await until(outcome, within_s=60)
    events = await heard()
    await bus.stop(0)
    assert sorted(event.chunk.index for event in events if not event.reused) == [0, 1, 2, 3]
    assert len({event.id for event in events}) == 4
