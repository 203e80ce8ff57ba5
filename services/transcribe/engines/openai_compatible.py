"""OpenAI's speech-to-text and all that answer like it, by the official openai SDK."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from services.runtime.engines import Usability
from services.transcribe.answers import refused
from services.transcribe.cloud import CloudTranscriber, Recognised, with_key_terms
from services.transcribe.languages import whisper_code
from services.transcribe.transcription import recognised
from services.transcribe.uploads import Limits, Upload

_TIMES = {
    "response_format": "verbose_json",
    "timestamp_granularities": ["word", "segment"],
    "temperature": 0,
}
"""Asks a Whisper for times of words, and for the confidences of segments."""
_CONFIDENCES = {"response_format": "json", "include": ["logprobs"]}
"""Asks gpt-4o-transcribe and its kin, which know no times."""


class OpenAICompatible(CloudTranscriber):
    """Asks `POST /audio/transcriptions`; a subclass names the server, the key and the model."""

    package: ClassVar[str] = "openai"
    extra: ClassVar[str] = "openai"
    limits: ClassVar[Limits] = Limits(longest_s=1_500, most_bytes=25_000_000)

    @property
    @abstractmethod
    def _server(self) -> tuple[str, str]:
        """Base URL and model."""

    @property
    def model(self) -> str:
        """The model, as its server calls it."""
        return with_key_terms(self._server[1], self._settings.key_terms)

    @property
    def _remedy(self) -> str:
        name = self.name.partition("-")[0].upper()
        return f"set VOXMESH_TRANSCRIBE_{name}_API_KEY or {name}_API_KEY"

    def _wanted(self, language: str | None) -> Mapping[str, Any]:
        """What is asked for beside the words, and what is known beforehand."""
        terms = self._settings.key_terms
        return {
            **_TIMES,
            **({"prompt": ", ".join(terms)} if terms else {}),
            **({"language": whisper_code(language)} if language else {}),
        }

    def _recognise(self, upload: Upload, language: str | None) -> Recognised:
        import openai

        url, model = self._server
        with openai.OpenAI(
            api_key=self._key or "none",  # the SDK wants one, even where the server does not
            base_url=url,
            timeout=self._settings.answer_within_s,
            max_retries=0,
        ) as client:
            # The SDK takes these from the environment, and would tell them to any server.
            client.organization = client.project = None
            try:
                answer = client.audio.transcriptions.with_raw_response.create(
                    file=("chunk.flac", upload.flac, "audio/flac"),
                    model=model,
                    **self._wanted(language),
                )
            except openai.APIStatusError as error:
                raise refused(error.response) from None
        return recognised(json.loads(answer.content), upload)


class OpenAI(OpenAICompatible):
    """gpt-4o-transcribe and its kin: confidences of tokens, no times."""

    name: ClassVar[str] = "openai"
    sends_audio_to: ClassVar[str | None] = "OpenAI"
    # It writes at most 2,000 tokens, which a quick speaker fills in some seven minutes.
    limits: ClassVar[Limits] = Limits(longest_s=300, most_bytes=25_000_000)

    @property
    def _secret(self) -> SecretStr | None:
        return self._settings.openai_api_key

    @property
    def _server(self) -> tuple[str, str]:
        return self._settings.openai_url, self._settings.openai_model

    def _wanted(self, language: str | None) -> Mapping[str, Any]:
        others = super()._wanted(language)
        return {**{k: v for k, v in others.items() if k not in _TIMES}, **_CONFIDENCES}


class OpenAIWhisper(OpenAICompatible):
    """whisper-1, which is large-v2: times of words."""

    name: ClassVar[str] = "openai-whisper"
    sends_audio_to: ClassVar[str | None] = "OpenAI"

    @property
    def _secret(self) -> SecretStr | None:
        return self._settings.openai_api_key

    @property
    def _server(self) -> tuple[str, str]:
        return self._settings.openai_url, "whisper-1"


class Groq(OpenAICompatible):
    """Whisper on Groq's processors: times of words."""

    name: ClassVar[str] = "groq"
    sends_audio_to: ClassVar[str | None] = "Groq"

    @property
    def _secret(self) -> SecretStr | None:
        return self._settings.groq_api_key

    @property
    def _server(self) -> tuple[str, str]:
        return self._settings.groq_url, self._settings.groq_model


class Mistral(OpenAICompatible):
    """Voxtral: times of words, unless it is told the language."""

    name: ClassVar[str] = "mistral"
    sends_audio_to: ClassVar[str | None] = "Mistral"

    @property
    def _secret(self) -> SecretStr | None:
        return self._settings.mistral_api_key

    @property
    def _server(self) -> tuple[str, str]:
        return self._settings.mistral_url, self._settings.mistral_model

    def _wanted(self, language: str | None) -> Mapping[str, Any]:
        # docs.mistral.ai, Offline Transcription: language and times exclude each other; terms hold
        # no spaces.
        terms = [term.replace(" ", "_") for term in self._settings.key_terms]
        return {
            "temperature": 0,
            **({"extra_body": {"context_bias": ",".join(terms)}} if terms else {}),
            **(
                {"language": whisper_code(language)}
                if language
                else {"timestamp_granularities": ["word"]}
            ),
        }


class SelfHosted(OpenAICompatible):
    """A server of one's own, such as speaches, vLLM or LocalAI."""

    name: ClassVar[str] = "selfhosted"
    sends_audio_to: ClassVar[str | None] = "the server of VOXMESH_TRANSCRIBE_SELFHOSTED_URL"

    @property
    def model(self) -> str:
        """The model and its server: another's may go by the same name."""
        host = urlsplit(self._settings.selfhosted_url).hostname
        return f"{super().model} at {host}" if host else super().model

    @property
    def _secret(self) -> SecretStr | None:
        return self._settings.selfhosted_api_key

    @property
    def _remedy(self) -> str:
        return "set VOXMESH_TRANSCRIBE_SELFHOSTED_API_KEY"

    @property
    def _server(self) -> tuple[str, str]:
        return self._settings.selfhosted_url, self._settings.selfhosted_model

    def _unset(self) -> Usability | None:
        if all(self._server):
            return None
        return Usability(
            usable=False,
            reason="no server of your own is set",
            remedy="set VOXMESH_TRANSCRIBE_SELFHOSTED_URL and VOXMESH_TRANSCRIBE_SELFHOSTED_MODEL",
        )

    def _wanted(self, language: str | None) -> Mapping[str, Any]:
        others = super()._wanted(language)
        if self._settings.selfhosted_times:
            return others
        return {**{k: v for k, v in others.items() if k not in _TIMES}, "response_format": "json"}
