"""The topics of a mesh, and how each is made on Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from voxmesh_schemas import EVENTS, DeadLetter
from voxmesh_schemas.base import Options

REPLAYED = "dead-letters.replayed"
"""Which dead letters were replayed, and when."""


class TopicSettings(Options):
    """What differs for one topic."""

    partitions: int | None = Field(default=None, ge=1, description="of the topic, when made new")
    retention_s: float | None = Field(default=None, ge=1, description="how long messages stay")


@dataclass(frozen=True)
class Shape:
    """How a topic is made."""

    partitions: int
    retention_ms: int


@dataclass(frozen=True)
class Shapes:
    """How topics are made: all alike, but for those that are named."""

    partitions: int
    retention_s: float = 7 * 24 * 3600.0
    own: Mapping[str, TopicSettings] = field(default_factory=dict)

    def of(self, topic: str) -> Shape:
        """The shape of a topic, without the mesh's prefix."""
        own = self.own.get(topic) or TopicSettings()
        return Shape(
            own.partitions or self.partitions,
            round((own.retention_s or self.retention_s) * 1000),
        )


def retry_topic(service: str, level: int) -> str:
    """Where a service's messages wait for the first (1), second (2), … delay."""
    return f"{service}.retry-{level}"


def all_topics(services: Iterable[str], delays_s: Sequence[float]) -> list[str]:
    """Every topic of a mesh: of events, of retries and of dead letters."""
    events = [topic for event in EVENTS for topic in event.topics()]
    retries = [
        retry_topic(service, level) for service in services for level in range(1, len(delays_s) + 1)
    ]
    return [*events, *retries, DeadLetter.topic, REPLAYED]
