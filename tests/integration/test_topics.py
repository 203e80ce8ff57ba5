"""Topics as the settings have them, and how far groups are behind."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest

from services.cli import brokers as command
from services.cli.mesh_checks import mesh_checks
from services.runtime.bus import Message, Slots, make_bus
from services.runtime.settings import MeshSettings
from tests.integration.brokers import BROKERS, Connect, connect_to
from tests.polling import until


@pytest.fixture(params=BROKERS)
def connect(request: pytest.FixtureRequest) -> Connect:
    return connect_to(request.param, request.getfixturevalue(f"{request.param}_url"))


@pytest.mark.kafka
def test_topics_are_made_as_the_settings_have_them(
    kafka_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOXMESH_TOPIC_PREFIX", f"test-{uuid4().hex}.")
    monkeypatch.setenv("VOXMESH_TOPIC_PARTITIONS", "2")
    shape = '{"audio.chunked": {"partitions": %d, "retention_s": %d}}'
    monkeypatch.setenv("VOXMESH_TOPICS", shape % (5, 60))
    before = next(check for check in mesh_checks(kafka_url) if check.name == "topics")
    assert not before.fine
    assert "is missing" in before.finding
    assert command.create_topics(kafka_url, as_json=True) == 0
    made = json.loads(capsys.readouterr().out)
    assert {"audio.chunked.high", "transcribe.retry-3", "dead-letters"} <= set(made)
    assert next(check for check in mesh_checks(kafka_url) if check.name == "topics").fine
    assert command.create_topics(kafka_url, as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == []
    monkeypatch.setenv("VOXMESH_TOPICS", shape % (9, 7200))
    after = next(check for check in mesh_checks(kafka_url) if check.name == "topics")
    assert "audio.chunked has 5 partitions of 9" in after.finding
    assert "audio.chunked keeps messages for 0.0166667 h of 2 h" in after.finding


async def test_the_lag_of_a_group_is_what_it_has_not_acknowledged(connect: Connect) -> None:
    let = asyncio.Event()

    async def handle(message: Message) -> None:
        await let.wait()

    bus = connect()
    bus.subscribe(["speech.transcribed"], group="merge", on_message=handle, slots=Slots(2))
    await bus.start()
    for number in range(7):
        await bus.publish(Message("speech.transcribed", f"{number}", b"x"))

    async def lag() -> int:
        return sum((await bus.lag()).values())

    async def lags_by(count: int) -> bool:
        return await lag() == count

    await until(lambda: lags_by(7))
    assert set(await bus.lag()) == {("merge", "speech.transcribed")}
    let.set()
    await until(lambda: lags_by(0))
    await bus.stop(0)


async def test_a_broker_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for broker in ("kafka://127.0.0.1:1", "redis://127.0.0.1:1"):
        check = (await asyncio.to_thread(mesh_checks, broker))[0]
        assert (check.name, check.fine) == ("broker", False)
        assert "answers" in check.finding
    assert make_bus(MeshSettings(broker="redis://127.0.0.1:1"))
