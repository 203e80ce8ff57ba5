"""Settings of the diarize service: variables `VOXMESH_DIARIZE_*`, or a `.env` file."""

from __future__ import annotations

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class DiarizeSettings(BaseSettings):
    """How pyannote runs; the acoustic engine has nothing to set."""

    model_config = SettingsConfigDict(
        env_prefix="VOXMESH_DIARIZE_",
        env_file=".env",
        frozen=True,
        extra="ignore",
        populate_by_name=True,
    )

    pyannote_model: str = Field(
        default="pyannote/speaker-diarization-community-1",
        min_length=1,
        description="pipeline of pyannote.audio: a folder with its config.yaml, 'owner/name' on "
        "the Hugging Face hub, or 'owner/name@revision' to hold it at one revision",
    )
    hf_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("VOXMESH_DIARIZE_HF_TOKEN", "HF_TOKEN"),
        description="access token of a Hugging Face account that has accepted the pipeline's "
        "conditions; needed once, to fetch it",
    )
    device: str = Field(
        default="auto", description="torch device: cpu, cuda, cuda:1, …; auto: cuda where there is"
    )
