"""What tests of every kind share: brokers of their own, and when to go without."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from services.runtime.embedded import private_redis

ROOT = Path(__file__).resolve().parents[1]

# Times vary with the machine's load and are no test. The same commit finds the same examples.
settings.register_profile("voxmesh", deadline=None, derandomize=True)
settings.load_profile("voxmesh")


def without(reason: str) -> NoReturn:
    """Skip the test for want of something; where everything should be there (CI=true), fail it."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a broker: `-m 'not kafka'` leaves them out."""
    for item in items:
        for name in ("kafka", "redis"):
            if f"{name}_url" in getattr(item, "fixturenames", ()):
                item.add_marker(name)


@pytest.fixture
async def redis_url(tmp_path: Path) -> AsyncIterator[str]:
    """A redis-server of the test's own."""
    async with private_redis(tmp_path / "redis") as url:
        yield url


@pytest.fixture(scope="session")
def kafka_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Kafka that VOXMESH_TEST_KAFKA names, else one that `scripts/kafka` starts and purges.

    One for all tests, each of which has topics of its own.
    """
    if url := os.environ.get("VOXMESH_TEST_KAFKA"):
        yield url
        return
    if not shutil.which("java"):
        without("no Kafka: neither is VOXMESH_TEST_KAFKA set nor Java installed")
    home = tmp_path_factory.mktemp("kafka")
    environment = {**os.environ, "VOXMESH_KAFKA_HOME": str(home), "VOXMESH_KAFKA_PORT": "0"}
    kafka = ROOT / "scripts" / "kafka"
    started = subprocess.run([kafka, "start"], env=environment, capture_output=True, text=True)
    if started.returncode:
        without(f"no Kafka: {(started.stderr.strip().splitlines() or ['it does not start'])[-1]}")
    try:
        yield started.stdout.strip()
    finally:
        subprocess.run([kafka, "stop", "--purge"], env=environment, capture_output=True, check=True)
