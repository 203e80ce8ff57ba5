"""The brokers that one suite of tests runs on, each of which keeps what it is given."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from services.runtime.bus import Bus
from services.runtime.bus.kafka import KafkaBus
from services.runtime.bus.redis_streams import RedisBus
from services.runtime.topics import Shapes

REDELIVER_AFTER_MS = 500

Connect = Callable[..., Bus]
"""Makes a bus as another process would have it; `prefix` is put before all topics and groups."""

BROKERS = [
    pytest.param("redis", marks=pytest.mark.redis),
    pytest.param("kafka", marks=pytest.mark.kafka),
]


def redis_connect(url: str) -> Connect:
    return lambda prefix="": RedisBus(url, prefix=prefix, claim_after_ms=REDELIVER_AFTER_MS)


def kafka_connect(url: str) -> Connect:
    own = f"test-{uuid4().hex}."
    servers = url.removeprefix("kafka://")
    return lambda prefix="": KafkaBus(
        servers,
        prefix=own + prefix,
        shapes=Shapes(partitions=3),
        replication=1,
        redeliver_after_s=REDELIVER_AFTER_MS / 1000,
    )


def connect_to(name: str, url: str) -> Connect:
    """How to connect to the broker of that name."""
    return {"redis": redis_connect, "kafka": kafka_connect}[name](url)
