"""Settings that every service reads: environment variables `VOXMESH_*`, or a `.env` file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.runtime.topics import TopicSettings
from voxmesh_schemas import DeadLetter

EMBEDDED = "embedded"


def default_state_dir() -> Path:
    """Where a user's state goes, by the XDG base directory specification."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "voxmesh"


class MeshSettings(BaseSettings):
    """How a process takes part in the mesh."""

    model_config = SettingsConfigDict(
        env_prefix="VOXMESH_", env_file=".env", frozen=True, extra="ignore"
    )

    broker: str = Field(
        default=EMBEDDED,
        description="kafka://host:port[,host:port], redis://… or 'embedded' (a private Redis)",
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="Redis for leases and counters; the broker's own when that is Redis",
    )
    store: str = Field(
        default="", description="object store: a folder, or file://, s3://, gs://, az:// URL"
    )
    state_dir: Path = Field(
        default_factory=default_state_dir, description="folder for the embedded mesh's state"
    )
    topic_prefix: str = Field(
        default="", pattern=r"^[a-z0-9.-]*$", description="put before every topic and group"
    )
    topic_partitions: int = Field(default=12, ge=1, description="partitions of a topic made new")
    topic_retention_s: float = Field(
        default=7 * 24 * 3600.0, ge=1, description="how long Kafka keeps a topic's messages"
    )
    topics: dict[str, TopicSettings] = Field(
        default={DeadLetter.topic: TopicSettings(partitions=1, retention_s=30 * 24 * 3600.0)},
        description='what differs by topic, in JSON: {"audio.chunked": {"partitions": 48}}',
    )
    topic_replication: int = Field(default=1, ge=1, description="replicas of a topic made new")
    processes: int = Field(
        default=0, ge=0, description="worker processes for inference; 0: one per CPU core"
    )
    attempts: int = Field(default=4, ge=1, description="tries in place at a passing failure")
    backoff_s: float = Field(default=1.0, gt=0, description="wait before the second try; doubles")
    retry_delays_s: Annotated[tuple[float, ...], NoDecode] = Field(
        default=(60.0, 300.0, 900.0),
        description="what fails in place waits so long in retry topics, comma-separated; empty: "
        "it is given up",
    )
    replay_within_s: float = Field(
        default=7 * 24 * 3600.0,
        ge=0,
        description="what a replay of dead letters needs of a job that lost something is kept so "
        "long; 0: not at all",
    )
    breaker_failures: int = Field(
        default=5, ge=1, description="passing failures in a row after which an engine rests"
    )
    breaker_rest_s: float = Field(default=30.0, ge=0, description="how long it rests")
    grace_s: float = Field(default=25.0, ge=0, description="time for work to end when told to stop")
    lease_s: float = Field(
        default=30.0, gt=0, description="a dead worker's lease lapses after this"
    )
    health_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="port of /healthz, /readyz and /metrics; none: off",
    )
    health_host: str = Field(default="127.0.0.1", description="address that these listen on")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto: readable on a terminal, JSON elsewhere"
    )

    @field_validator("retry_delays_s", mode="before")
    @classmethod
    def _from_commas(cls, value: object) -> object:
        return [part for part in value.split(",") if part] if isinstance(value, str) else value

    @property
    def cores(self) -> int:
        """Worker processes to run."""
        return self.processes or len(os.sched_getaffinity(0))
