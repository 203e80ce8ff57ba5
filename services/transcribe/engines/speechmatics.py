"""Speechmatics' batch speech-to-text, by its official SDK: a job, polling, its transcript."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from pydantic import SecretStr

from services.runtime.errors import PermanentError
from services.transcribe.answers import refused, told
from services.transcribe.cloud import CloudTranscriber, Recognised, with_key_terms
from services.transcribe.jobs import Jobs, polled
from services.transcribe.languages import tag_of, whisper_code
from services.transcribe.settings import TranscribeSettings
from services.transcribe.uploads import Limits, Upload
from services.transcribe.words import Heard, joined

_FIND_OUT = "auto"
_CODES = {"zh": "cmn"}


class Speechmatics(CloudTranscriber):
    """Recognises more than fifty languages, words with times and confidences."""

    name: ClassVar[str] = "speechmatics"
    sends_audio_to: ClassVar[str | None] = "Speechmatics"
    package: ClassVar[str] = "speechmatics.batch"
    extra: ClassVar[str] = "speechmatics"
    # docs.speechmatics.com: 1 GB, and two hours.
    limits: ClassVar[Limits] = Limits(longest_s=2 * 3600, most_bytes=1_000_000_000)

    def __init__(self, settings: TranscribeSettings) -> None:
        super().__init__(settings)
        self._jobs = Jobs()

    @property
    def model(self) -> str:
        """The model; Speechmatics names no versions to ask for."""
        return with_key_terms(self._settings.speechmatics_model, self._settings.key_terms)

    @property
    def _secret(self) -> SecretStr | None:
        return self._settings.speechmatics_api_key

    @property
    def _remedy(self) -> str:
        return "set VOXMESH_TRANSCRIBE_SPEECHMATICS_API_KEY or SPEECHMATICS_API_KEY"

    def _recognise(self, upload: Upload, language: str | None) -> Recognised:
        with self._client() as client:

            def begin() -> str:
                config = self._config(language)
                job = client.submit_job(_named(upload.flac), transcription_config=config)
                return str(job.id)

            return self._jobs.result(
                upload, language, begin, lambda job: self._finished(client, job)
            )

    def _finished(self, client: Any, job: str) -> Recognised:  # noqa: ANN401 - mypy does not follow the SDK
        from speechmatics.batch import JobStatus

        def ended() -> Any:  # noqa: ANN401 - as above
            found = client.get_job_info(job)
            return None if found.status in (JobStatus.CREATED, JobStatus.RUNNING) else found

        details = polled(
            ended,
            self._vendor,
            every_s=self._settings.poll_every_s,
            within_s=self._settings.result_within_s,
        )
        if details.status is not JobStatus.DONE:
            reasons = "; ".join(error.message for error in details.errors or ())
            raise PermanentError(
                f"Speechmatics {details.status.value} a chunk{told(reasons, self._key)}"
            )
        return _recognised(client.get_transcript(job).results)

    def _client(self) -> Any:  # noqa: ANN401 - as above
        from speechmatics.batch import Client, ConnectionConfig, StaticKeyAuth
        from speechmatics.batch._sync_transport import SyncTransport

        class Transport(SyncTransport):  # type: ignore[misc]  # mypy does not follow the SDK
            """The SDK's own logs what a refusal says, and keeps its headers to itself."""

            def _handle_response(self, response: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's
                if response.status_code >= 400:
                    raise refused(response)
                handled: dict[str, Any] = super()._handle_response(response)
                return handled

        within_s = self._settings.answer_within_s
        config = ConnectionConfig(connect_timeout=within_s, operation_timeout=within_s)
        auth, url = StaticKeyAuth(self._key), self._settings.speechmatics_url
        client = Client(auth, url=url, conn_config=config)
        client._transport = Transport(url, config, auth)
        return client

    def _config(self, language: str | None) -> Any:  # noqa: ANN401 - as above
        from speechmatics.batch import Model, TranscriptionConfig

        code = whisper_code(language) if language else _FIND_OUT
        return TranscriptionConfig(
            language=_CODES.get(code, code),
            model=Model(self._settings.speechmatics_model),
            additional_vocab=[{"content": term} for term in self._settings.key_terms] or None,
        )


def _named(flac: bytes) -> io.BytesIO:
    file = io.BytesIO(flac)
    file.name = "chunk.flac"
    return file


def _recognised(results: Iterable[Any]) -> Recognised:
    heard = [result for result in results if result.alternatives]
    spoken = Counter(r.alternatives[0].language for r in heard if r.type == "word")
    main = max(spoken, key=lambda code: spoken[code], default=None)
    back = {code: tag for tag, code in _CODES.items()}
    return Recognised(list(joined(_pieces(heard))), tag_of(back.get(main, main)) if main else None)


def _pieces(results: Iterable[Any]) -> Iterator[Heard]:
    """Words with a space before, and their punctuation without; a sign before a word is held."""
    opening = ""
    for result in results:
        text = result.alternatives[0].content
        if result.attaches_to == "next":
            opening += text
            continue
        follows = result.attaches_to in ("previous", "both")
        yield Heard(
            text=text if follows else f" {opening}{text}",
            start_ms=result.start_time * 1000,
            end_ms=result.end_time * 1000,
            confidence=None if follows else result.alternatives[0].confidence,
        )
        opening = "" if not follows else opening
