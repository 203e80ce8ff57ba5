"""Chirp 2 of Google Cloud's Speech-to-Text V2, by its official client library."""

from __future__ import annotations

import json
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from pydantic import SecretStr

from services.runtime.engines import Usability
from services.transcribe.answers import refused
from services.transcribe.cloud import CloudTranscriber, Recognised, with_key_terms
from services.transcribe.languages import primary_subtag, tag_of
from services.transcribe.uploads import Limits, Upload
from services.transcribe.words import Heard

_FIND_OUT = "auto"
_LOCALES = """
    af-ZA am-ET ar-EG as-IN ast-ES az-AZ be-BY bg-BG bn-BD bs-BA ca-ES ceb-PH ckb-IQ cs-CZ cy-GB
    da-DK de-DE el-GR en-US es-ES et-EE eu-ES fa-IR ff-SN fi-FI fil-PH fr-FR ga-IE gl-ES gu-IN
    ha-NG hi-IN hr-HR hu-HU hy-AM id-ID ig-NG is-IS it-IT iw-IL ja-JP jv-ID ka-GE kam-KE kea-CV
    kk-KZ km-KH kn-IN ko-KR ky-KG lb-LU lg-UG ln-CD lo-LA lt-LT luo-KE lv-LV mi-NZ mk-MK ml-IN
    mn-MN mr-IN ms-MY mt-MT my-MM ne-NP nl-NL no-NO nso-ZA ny-MW oc-FR om-ET or-IN pa-Guru-IN pl-PL
    ps-AF pt-BR ro-RO ru-RU sd-IN sk-SK sl-SI sn-ZW so-SO sq-AL sr-RS su-ID sv-SE sw-KE ta-IN te-IN
    tg-TJ th-TH tr-TR uk-UA umb-AO ur-PK uz-UZ vi-VN wo-SN xh-ZA yo-NG yue-Hant-HK zu-ZA
"""
"""Google's tags have regions: docs.cloud.google.com/speech-to-text/docs/speech-to-text-supported-
languages. These are for languages that are named without."""
_LOCALE_OF = {
    **{primary_subtag(locale): locale for locale in _LOCALES.split()},
    "cmn": "cmn-Hans-CN",
    "he": "iw-IL",
    "nb": "no-NO",
    "tl": "fil-PH",
    "zh": "cmn-Hans-CN",
}
_TAG_OF = {"cmn": "zh", "iw": "he"}


class GoogleChirp(CloudTranscriber):
    """Recognises a hundred languages, words with times. What it calls confidence is none."""

    name: ClassVar[str] = "google-chirp"
    sends_audio_to: ClassVar[str | None] = "Google Cloud"
    package: ClassVar[str] = "google.cloud.speech_v2"
    extra: ClassVar[str] = "google"
    # Of `Recognize`: a minute, and 10 MB. What takes more reads it from a bucket of Google's.
    limits: ClassVar[Limits] = Limits(longest_s=58, most_bytes=10_000_000)

    @property
    def model(self) -> str:
        """The model; Google names no versions to ask for."""
        return with_key_terms(self._settings.google_model, self._settings.key_terms)

    @property
    def _secret(self) -> SecretStr | None:
        account = _account(self._settings.google_credentials)
        return SecretStr(account["private_key"]) if "private_key" in account else None

    @property
    def _remedy(self) -> str:
        return (
            "set VOXMESH_TRANSCRIBE_GOOGLE_CREDENTIALS or GOOGLE_APPLICATION_CREDENTIALS to the "
            "file with the key of a service account that may use Speech-to-Text"
        )

    def _unset(self) -> Usability | None:
        if not self._settings.google_credentials or self._key:
            return super()._unset()
        reason = f"{self._settings.google_credentials} is no file with a service account's key"
        return Usability(usable=False, reason=reason, remedy=self._remedy)

    def _recognise(self, upload: Upload, language: str | None) -> Recognised:
        from google.api_core.exceptions import GoogleAPICallError
        from google.cloud import speech_v2

        location = self._settings.google_location
        project = self._settings.google_project or self._credentials.project_id
        with speech_v2.SpeechClient(transport=self._transport()) as client:
            try:
                answer = client.recognize(
                    speech_v2.RecognizeRequest(
                        recognizer=f"projects/{project}/locations/{location}/recognizers/_",
                        config=self._config(language),
                        content=upload.flac,
                    ),
                    retry=None,
                    timeout=self._settings.answer_within_s,
                )
            except GoogleAPICallError as error:
                if error.response is None:
                    raise
                raise refused(error.response) from None
        return _recognised(answer.results)

    @cached_property
    def _credentials(self) -> Any:  # noqa: ANN401 - mypy does not follow the SDK
        from google.oauth2.service_account import Credentials

        return Credentials.from_service_account_info(_account(self._settings.google_credentials))

    def _transport(self) -> Any:  # noqa: ANN401 - as above
        from google.cloud.speech_v2.services.speech.transports import SpeechRestTransport

        # HTTP and not gRPC, whose threads and files a process that forks or ends would trip over.
        return SpeechRestTransport(
            host=self._settings.google_url
            or f"{self._settings.google_location}-speech.googleapis.com",
            credentials=self._credentials,
            always_use_jwt_access=True,  # signed here: no other server is asked for a token
        )

    def _config(self, language: str | None) -> Any:  # noqa: ANN401 - as above
        from google.cloud import speech_v2

        terms = [speech_v2.PhraseSet.Phrase(value=term) for term in self._settings.key_terms]
        phrases = speech_v2.SpeechAdaptation.AdaptationPhraseSet(
            inline_phrase_set=speech_v2.PhraseSet(phrases=terms)
        )
        return speech_v2.RecognitionConfig(
            auto_decoding_config=speech_v2.AutoDetectDecodingConfig(),
            language_codes=[_code(language)],
            model=self._settings.google_model,
            features=speech_v2.RecognitionFeatures(
                enable_word_time_offsets=True, enable_automatic_punctuation=True
            ),
            adaptation=speech_v2.SpeechAdaptation(phrase_sets=[phrases]) if terms else None,
        )


def _account(file: Path | None) -> dict[str, str]:
    """What a service account's file holds; nothing, when there is none that can be read."""
    try:
        found = json.loads(file.expanduser().read_text()) if file else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _code(language: str | None) -> str:
    if language is None:
        return _FIND_OUT
    tag = language.replace("_", "-")
    return tag if "-" in tag else _LOCALE_OF.get(tag.lower(), tag)


def _recognised(results: Any) -> Recognised:  # noqa: ANN401 - mypy does not follow the SDK
    best = [(part, part.alternatives[0]) for part in results if part.alternatives]
    spoken: Counter[str] = Counter()
    for part, alternative in best:
        if part.language_code:
            code = primary_subtag(part.language_code)
            spoken[_TAG_OF.get(code, tag_of(code))] += len(alternative.words)
    words = [
        Heard(
            text=word.word,
            start_ms=word.start_offset.total_seconds() * 1000,
            end_ms=word.end_offset.total_seconds() * 1000,
            confidence=None,
        )
        for _, alternative in best
        for word in alternative.words
    ]
    return Recognised(words, max(spoken, key=lambda tag: spoken[tag], default=None))
