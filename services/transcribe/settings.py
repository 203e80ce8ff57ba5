"""Settings of the transcribe service: variables `VOXMESH_TRANSCRIBE_*`, or a `.env` file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

AUTO = "auto"
PREFIX = "VOXMESH_TRANSCRIBE_"


def _key(vendor: str, *usual: str) -> Any:  # noqa: ANN401 - as pydantic's Field is
    """A secret that the vendor's own usual variables set, too."""
    name = f"{vendor}_API_KEY"
    return Field(
        default=None,
        validation_alias=AliasChoices(f"{PREFIX}{name}", *(usual or (name,))),
        description=f"key to {vendor.title()}'s API",
    )


class TranscribeSettings(BaseSettings):
    """How recognisers run; pocketsphinx has nothing to set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        populate_by_name=True,
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

    key_terms: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="names and terms to expect, with commas between; for vendors only"
    )
    answer_within_s: float = Field(
        default=300.0, gt=0, description="how long a vendor may be silent before it answers"
    )
    result_within_s: float = Field(
        default=1800.0, gt=0, description="how long a vendor may queue and work before its result"
    )
    poll_every_s: float = Field(
        default=3.0, gt=0, description="how often a vendor is asked whether a result is there"
    )

    assemblyai_api_key: SecretStr | None = _key("ASSEMBLYAI")
    assemblyai_url: str = "https://api.assemblyai.com"
    assemblyai_models: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("universal-3-5-pro", "universal-2"),
        min_length=1,
        description="in order of preference; the first that knows the language is used",
    )

    deepgram_api_key: SecretStr | None = _key("DEEPGRAM")
    deepgram_url: str = "https://api.deepgram.com"
    deepgram_model: str = "nova-3"

    openai_api_key: SecretStr | None = _key("OPENAI")
    openai_url: str = "https://api.openai.com/v1"
    openai_model: str = Field(
        default="gpt-4o-transcribe", description="of the engine openai; openai-whisper is whisper-1"
    )
    groq_api_key: SecretStr | None = _key("GROQ")
    groq_url: str = "https://api.groq.com/openai/v1"
    groq_model: str = "whisper-large-v3"
    mistral_api_key: SecretStr | None = _key("MISTRAL")
    mistral_url: str = "https://api.mistral.ai/v1"
    mistral_model: str = "voxtral-mini-latest"
    selfhosted_api_key: SecretStr | None = Field(
        default=None, description="key to a server of your own, when it wants one"
    )
    selfhosted_url: str = Field(
        default="", description="base URL of a server that answers like OpenAI's, with its /v1"
    )
    selfhosted_model: str = Field(default="", description="the model, as that server calls it")
    selfhosted_times: bool = Field(
        default=True, description="whether its model knows the times of words, as Whisper does"
    )

    gemini_api_key: SecretStr | None = _key("GEMINI", "GEMINI_API_KEY", "GOOGLE_API_KEY")
    gemini_url: str = "https://generativelanguage.googleapis.com"
    gemini_model: str = "gemini-3.8-flash"

    speechmatics_api_key: SecretStr | None = _key("SPEECHMATICS")
    speechmatics_url: str = "https://asr.api.speechmatics.com/v2"
    speechmatics_model: Literal["enhanced", "standard", "melia-1", "oak-1"] = "enhanced"

    google_credentials: Path | None = Field(
        default=None,
        validation_alias=AliasChoices(
            f"{PREFIX}GOOGLE_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"
        ),
        description="file with the key of a service account of Google Cloud",
    )
    google_project: str = Field(
        default="",
        validation_alias=AliasChoices(f"{PREFIX}GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT"),
        description="project that pays; the service account's own when not set",
    )
    google_location: str = Field(default="us-central1", description="region that has the model")
    google_url: str = Field(default="", description="the region's own when not set")
    google_model: str = "chirp_2"

    @field_validator("key_terms", "assemblyai_models", mode="before")
    @classmethod
    def _between_commas(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(term.strip() for term in value.split(",") if term.strip())
