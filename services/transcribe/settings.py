"""Settings of the transcribe service: variables `VOXMESH_TRANSCRIBE_*`, or a `.env` file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

AUTO = "auto"


class TranscribeSettings(BaseSettings):
    """How faster-whisper runs; pocketsphinx has nothing to set."""

    model_config = SettingsConfigDict(
        env_prefix="VOXMESH_TRANSCRIBE_", env_file=".env", frozen=True, extra="ignore"
    )

    whisper_model: str = Field(
        default=AUTO,
        min_length=1,
        description="Whisper model for CTranslate2: a name such as 'small', a folder, or "
        "'owner/name' on the Hugging Face hub; auto: large-v3-turbo on a GPU (close to the best, "
        "with a small decoder), small on a CPU (the largest that few cores carry)",
    )
    model_cache: Path | None = Field(
        default=None, description="folder for fetched models; the Hugging Face cache when not set"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="auto: cuda where CTranslate2 finds a GPU"
    )
    compute_type: Literal[
        "auto", "float32", "float16", "bfloat16", "int8", "int8_float16", "int8_float32"
    ] = Field(default="auto", description="number format; auto: float16 on a GPU, int8 on a CPU")
    batch_size: int = Field(default=8, ge=1, description="clips of up to 30 s decoded at once")
    cpu_threads: int = Field(
        default=0, ge=0, description="threads on a CPU; 0: one per core the process may use"
    )
