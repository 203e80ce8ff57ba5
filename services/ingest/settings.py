"""Settings of ingest: environment variables `VOXMESH_INGEST_*`."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IngestSettings(BaseSettings):
    """What sources this mesh takes. The defaults are those of a service that strangers reach."""

    model_config = SettingsConfigDict(
        env_prefix="VOXMESH_INGEST_", env_file=".env", frozen=True, extra="ignore"
    )

    local_files: bool = Field(
        default=False, description="take paths on the machine that ingest runs on"
    )
    private_networks: bool = Field(
        default=False, description="fetch from loopback, private and link-local addresses"
    )
    engines_within_s: float = Field(
        default=30.0, gt=0, description="wait so long for a service of every stage to be up"
    )
    concurrency: int = Field(default=2, ge=1, description="recordings decoded at once")
    open_jobs: int = Field(
        default=32, ge=1, description="recordings open at once, most of them held back"
    )
    chunks_in_flight: int = Field(
        default=64, ge=2, description="chunks of a job that may wait for results; then it waits"
    )
