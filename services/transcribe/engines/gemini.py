"""Gemini, by the official google-genai SDK: asked to write down what it hears, words without times.

Times are found by `services.transcribe.alignment`.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar

from pydantic import SecretStr

from services.runtime.errors import PermanentError
from services.transcribe.answers import Refused
from services.transcribe.cloud import CloudTranscriber, Recognised, with_key_terms
from services.transcribe.language_names import tag_named
from services.transcribe.languages import primary_subtag
from services.transcribe.transcription import heard_in
from services.transcribe.uploads import Limits, Upload

_LANGUAGES = """
    af am ar as az be bg bn bs ca ceb co cs cy da de dv el en eo es et eu fa fi fil fr fy ga gd gl
    gu ha haw he hi hmn hr ht hu hy id ig is it iw ja jv ka kk km kn ko kri ku ky la lb lo lt lv mg
    mi mk ml mn mni mr ms mt my nb ne nl nn no ny or pa pl ps pt ro ru sd si sk sl sm sn so sq sr st
    su sv sw ta te tg th tr ug uk ur uz vi xh yi yo yue zh zu
"""
"""What Google says Gemini knows: docs.cloud.google.com/vertex-ai/generative-ai/docs/models. Of any
other it would make up something."""
_PROMPT = """\
Write down verbatim what is said in this recording, in the language it is said in, with punctuation
and capitals. Keep repetitions and filled pauses; write numbers as one writes them. Add nothing that
is not said: no speaker names, no times, no descriptions of sounds, no translation. Where nobody
speaks the text is empty. Tell the main language as a BCP 47 tag.\
"""
_PROMPT_VERSION = hashlib.sha256(_PROMPT.encode()).hexdigest()[:8]


class Gemini(CloudTranscriber):
    """Writes down what it hears, in more than a hundred languages."""

    name: ClassVar[str] = "gemini"
    sends_audio_to: ClassVar[str | None] = "Google"
    package: ClassVar[str] = "google.genai"
    extra: ClassVar[str] = "gemini"
    # A request may be 20 MB, and audio in it is a third larger for being Base64. Of a longer piece
    # it leaves out parts, and words without times drift.
    limits: ClassVar[Limits] = Limits(longest_s=180, most_bytes=14_000_000)

    @property
    def model(self) -> str:
        """The model and what it is told."""
        told = f"{self._settings.gemini_model} prompt {_PROMPT_VERSION}"
        return with_key_terms(told, self._settings.key_terms)

    @property
    def _secret(self) -> SecretStr | None:
        return self._settings.gemini_api_key

    @property
    def _remedy(self) -> str:
        return "set VOXMESH_TRANSCRIBE_GEMINI_API_KEY or GEMINI_API_KEY"

    def _recognise(self, upload: Upload, language: str | None) -> Recognised:
        if language and primary_subtag(language) not in _LANGUAGES.split():
            raise PermanentError(f"Gemini does not know the language {language!r}")
        answer = self._answer(upload, language)
        candidate = answer["candidates"][0]
        if candidate.get("finish_reason") not in ("STOP", None):
            raise PermanentError(
                f"Gemini did not finish a chunk ({candidate['finish_reason']}); use another engine"
            )
        said = json.loads(candidate["content"]["parts"][-1]["text"])
        return Recognised(heard_in(said["text"], upload), tag_named(said["language"]))

    def _answer(self, upload: Upload, language: str | None) -> dict[str, Any]:
        from google import genai
        from google.genai import errors, types

        client = genai.Client(
            vertexai=False,
            api_key=self._key,
            http_options=types.HttpOptions(
                base_url=self._settings.gemini_url,
                timeout=round(self._settings.answer_within_s * 1000),
                retry_options=types.HttpRetryOptions(attempts=1),
            ),
        )
        try:
            answer = client.models.generate_content(
                model=self._settings.gemini_model,
                contents=[
                    types.Part.from_bytes(data=upload.flac, mime_type="audio/flac"),
                    self._prompt(language),
                ],
                config=types.GenerateContentConfig(
                    temperature=0,
                    response_mime_type="application/json",
                    response_schema=_schema(),
                ),
            )
        except errors.APIError as error:
            raise _refused(error) from None
        finally:
            client.close()
        record: dict[str, Any] = answer.model_dump(mode="json")
        return record

    def _prompt(self, language: str | None) -> str:
        parts = [_PROMPT]
        if language:
            parts.append(f"It is in the language with the BCP 47 tag {language}.")
        if self._settings.key_terms:
            parts.append(f"These may be said: {', '.join(self._settings.key_terms)}.")
        return " ".join(parts)


def _schema() -> Any:  # noqa: ANN401 - the SDK's, which is imported only here
    from google.genai import types

    text = types.Schema(type=types.Type.STRING)
    names = ["language", "text"]
    return types.Schema(
        type=types.Type.OBJECT,
        properties=dict.fromkeys(names, text),
        required=names,
        property_ordering=names,
    )


def _refused(error: Any) -> Refused:  # noqa: ANN401 - as above
    headers = dict(error.response.headers) if error.response is not None else {}
    return Refused(error.code, headers, json.dumps(error.details))
