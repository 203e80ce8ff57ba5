"""Deepgram's pre-recorded speech-to-text, by its official SDK: one request for each upload."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, ClassVar

from pydantic import SecretStr

from services.transcribe.answers import Refused
from services.transcribe.cloud import CloudTranscriber, Recognised, with_key_terms
from services.transcribe.languages import primary_subtag, tag_of, whisper_code
from services.transcribe.uploads import Limits, Upload
from services.transcribe.words import Heard

_ANY = "multi"
"""Nova-3's language that stands for all it knows, also within one sentence."""
_REGIONAL = (
    *("de-CH", "en-AU", "en-CA", "en-GB", "en-IN", "en-NZ", "en-US", "es-419", "fr-CA", "nl-BE"),
    *("pt-BR", "pt-PT", "zh-CN", "zh-HK", "zh-Hans", "zh-Hant", "zh-TW"),
)
"""Variants that it tells apart: developers.deepgram.com/docs/models-languages-overview."""


class Deepgram(CloudTranscriber):
    """Recognises 55 languages with Nova-3, also mixed ones, words with times and confidences."""

    name: ClassVar[str] = "deepgram"
    sends_audio_to: ClassVar[str | None] = "Deepgram"
    package: ClassVar[str] = "deepgram"
    extra: ClassVar[str] = "deepgram"
    # It stops after ten minutes of work, which is hours of audio, and takes files of 2 GB.
    limits: ClassVar[Limits] = Limits(longest_s=2 * 3600, most_bytes=2_000_000_000)

    @property
    def model(self) -> str:
        """The model; Deepgram names no versions to ask for."""
        return with_key_terms(self._settings.deepgram_model, self._settings.key_terms)

    @property
    def _secret(self) -> SecretStr | None:
        return self._settings.deepgram_api_key

    @property
    def _remedy(self) -> str:
        return "set VOXMESH_TRANSCRIBE_DEEPGRAM_API_KEY or DEEPGRAM_API_KEY"

    def _recognise(self, upload: Upload, language: str | None) -> Recognised:
        import httpx
        from deepgram import DeepgramClient
        from deepgram.core.api_error import ApiError
        from deepgram.environment import DeepgramClientEnvironment

        url = self._settings.deepgram_url
        environment = DeepgramClientEnvironment(base=url, production=url, agent=url, agent_rest=url)
        with httpx.Client(timeout=self._settings.answer_within_s) as http:
            client = DeepgramClient(
                api_key=self._key, environment=environment, httpx_client=http, max_retries=0
            )
            try:
                answer = client.listen.v1.media.transcribe_file(
                    request=upload.flac,
                    model=self._settings.deepgram_model,
                    language=_code(language),
                    keyterm=list(self._settings.key_terms) or None,
                    smart_format=True,
                )
            except ApiError as error:
                body = error.body if isinstance(error.body, str) else json.dumps(error.body)
                raise Refused(error.status_code or 0, error.headers or {}, body) from None
        return _recognised(answer.results.channels[0].alternatives[0])


def _code(language: str | None) -> str:
    if language is None:
        return _ANY
    wanted = language.replace("_", "-").lower()
    return next((tag for tag in _REGIONAL if tag.lower() == wanted), whisper_code(language))


def _recognised(alternative: Any) -> Recognised:  # noqa: ANN401 - mypy does not follow the SDK
    words = [
        Heard(
            text=word.punctuated_word or word.word,
            start_ms=word.start * 1000,
            end_ms=word.end * 1000,
            confidence=word.confidence,
            language=_tag(getattr(word, "language", None)),
        )
        for word in alternative.words
    ]
    spoken = Counter(word.language for word in words if word.language)
    return Recognised(words, max(spoken, key=lambda tag: spoken[tag], default=None))


def _tag(code: str | None) -> str | None:
    return tag_of(primary_subtag(code)) if code else None
