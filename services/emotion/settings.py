"""Settings of the emotion service: environment variables `VOXMESH_EMOTION_*`, or a `.env` file."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class EmotionSettings(BaseSettings):
    """Which models judge emotion, on what, and over which windows.

    A model is a folder, or `owner/name` on the Hugging Face hub, or `owner/name@revision` to hold
    it at one revision.
    """

    model_config = SettingsConfigDict(
        env_prefix="VOXMESH_EMOTION_", env_file=".env", frozen=True, extra="ignore"
    )

    speechbrain_model: str = Field(
        default="speechbrain/emotion-recognition-wav2vec2-IEMOCAP",
        min_length=1,
        description="model of the audio engine 'speechbrain'",
    )
    audio_model: str = Field(
        default="superb/wav2vec2-base-superb-er",
        min_length=1,
        description="model of the audio engine 'transformers'",
    )
    text_model: str = Field(
        default="j-hartmann/emotion-english-distilroberta-base",
        min_length=1,
        description="model of the text engine 'transformers'",
    )
    text_model_languages: tuple[str, ...] = Field(
        default=("en",), description="languages that it reads, primary subtags; empty: all"
    )
    device: str = Field(
        default="auto", description="torch device: cpu, cuda, cuda:1, …; auto: cuda where there is"
    )
    batch_size: int = Field(default=16, ge=1, description="windows that a model sees at once")
    window_ms: int = Field(default=3000, ge=500, description="length of an audio window")
    hop_ms: int = Field(default=2500, ge=100, description="start of a window to that of the next")

    @model_validator(mode="after")
    def _leaves_no_gap(self) -> Self:
        if self.hop_ms > self.window_ms:
            raise ValueError(
                f"hop_ms {self.hop_ms} is more than window_ms {self.window_ms}: "
                "windows would leave gaps"
            )
        return self
