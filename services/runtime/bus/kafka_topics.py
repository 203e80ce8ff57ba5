"""Making topics on Kafka, and looking at those that are there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from services.runtime.errors import TransientError
from services.runtime.topics import Shape

LEADERS_WITHIN_S = 30.0
RETENTION = "retention.ms"


@asynccontextmanager
async def administering(servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client for what is not messages.

    Raises:
        TransientError: when no Kafka answers.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    try:
        await admin.start()
        yield admin
    except KafkaError as error:
        raise TransientError(f"no Kafka answers at {servers}: {error!r}") from error
    finally:
        await admin.close()


async def create_topics(servers: str, wanted: Mapping[str, Shape], replication: int) -> list[str]:
    """Make the topics that are missing; gives their names. The others stay as they are."""
    async with administering(servers) as admin:
        missing = sorted(set(wanted) - set(await admin.list_topics()))
        if missing:
            answer = await admin.create_topics(
                [_new(name, wanted[name], replication) for name in missing]
            )
            for topic, code, *_ in answer.topic_errors:
                if code and for_code(code) is not TopicAlreadyExistsError:
                    raise TransientError(f"Kafka does not make the topic {topic}: {for_code(code)}")
            await _until_led(admin, missing)
        return missing


def _new(name: str, shape: Shape, replication: int) -> NewTopic:
    own = {RETENTION: str(shape.retention_ms)}
    return NewTopic(name, shape.partitions, replication, topic_configs=own)


async def _until_led(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    """Wait until every partition has a leader: a client that asks earlier only gets errors."""
    deadline = asyncio.get_running_loop().time() + LEADERS_WITHIN_S
    while True:
        topics = await admin.describe_topics(list(names))
        partitions = [p for topic in topics for p in topic["partitions"]]
        if all(p["leader"] >= 0 and not p["error_code"] for p in partitions) and all(
            not topic["error_code"] for topic in topics
        ):
            return
        if asyncio.get_running_loop().time() > deadline:
            raise TransientError("Kafka has made topics but their partitions have no leaders")
        await asyncio.sleep(0.05)


async def differences(servers: str, wanted: Mapping[str, Shape]) -> list[str]:
    """What is not as wanted, a sentence each: topics that are missing, too narrow or too brief."""
    async with administering(servers) as admin:
        there = set(await admin.list_topics())
        found = [f"the topic {name} is missing" for name in sorted(set(wanted) - there)]
        names = sorted(set(wanted) & there)
        if not names:
            return found
        for topic in await admin.describe_topics(names):
            name, count = topic["topic"], len(topic["partitions"])
            if count < wanted[name].partitions:
                found.append(f"{name} has {count} partitions of {wanted[name].partitions}")
        kept = await _retentions(admin, names)
        return found + [
            f"{name} keeps messages for {kept[name] / 3_600_000:g} h "
            f"of {wanted[name].retention_ms / 3_600_000:g} h"
            for name in names
            if 0 <= kept[name] < wanted[name].retention_ms
        ]


async def _retentions(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    """How long topics keep messages, in milliseconds; -1: for ever."""
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, name, {RETENTION: None}) for name in names
    ]
    found: dict[str, int] = {}
    for answer in await admin.describe_configs(resources):
        for resource in answer.resources:
            settings: list[Any] = resource[4]
            found[resource[3]] = int(settings[0][1])
    return found


async def committed(servers: str, group: str) -> dict[Any, int]:
    """How far a group has come, by partition."""
    async with administering(servers) as admin:
        offsets = await admin.list_consumer_group_offsets(group)
        return {partition: found.offset for partition, found in offsets.items()}
