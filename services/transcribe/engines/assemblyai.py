"""AssemblyAI's pre-recorded speech-to-text, by its official SDK: upload, transcript, polling."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, ClassVar

from pydantic import SecretStr

from services.runtime.errors import PermanentError, TransientError
from services.transcribe.answers import refused, told
from services.transcribe.cloud import CloudTranscriber, Recognised, with_key_terms
from services.transcribe.jobs import Jobs
from services.transcribe.languages import primary_subtag, tag_of, whisper_code
from services.transcribe.settings import TranscribeSettings
from services.transcribe.uploads import Limits, Upload
from services.transcribe.words import Heard


class AssemblyAI(CloudTranscriber):
    """Recognises 99 languages, words with times and confidences."""

    name: ClassVar[str] = "assemblyai"
    sends_audio_to: ClassVar[str | None] = "AssemblyAI"
    package: ClassVar[str] = "assemblyai"
    extra: ClassVar[str] = "assemblyai"
    # assemblyai.com/docs: a file may be 2.2 GB by upload, and 10 hours long.
    limits: ClassVar[Limits] = Limits(longest_s=10 * 3600, most_bytes=2_200_000_000)

    def __init__(self, settings: TranscribeSettings) -> None:
        super().__init__(settings)
        self._jobs = Jobs()

    @property
    def model(self) -> str:
        """The models in order of preference; which one heard depends on the language alone."""
        return with_key_terms(",".join(self._settings.assemblyai_models), self._settings.key_terms)

    @property
    def _secret(self) -> SecretStr | None:
        return self._settings.assemblyai_api_key

    @property
    def _remedy(self) -> str:
        return "set VOXMESH_TRANSCRIBE_ASSEMBLYAI_API_KEY or ASSEMBLYAI_API_KEY"

    def _recognise(self, upload: Upload, language: str | None) -> Recognised:
        import assemblyai

        settings = assemblyai.Settings(
            api_key=self._key,
            base_url=self._settings.assemblyai_url,
            http_timeout=self._settings.answer_within_s,
            polling_interval=self._settings.poll_every_s,
        )
        # One for each call: it keeps its last answer, and calls run beside each other.
        client = assemblyai.Client(settings=settings)

        def begin() -> str:
            with _refusals(client):
                transcriber = assemblyai.Transcriber(client=client)
                return str(transcriber.submit(upload.flac, self._config(language)).id)

        def finish(job: str) -> Recognised:
            with _refusals(client):
                transcript = assemblyai.Transcript(job, client=client)
                transcript.wait_for_completion(poll_timeout=self._settings.result_within_s)
            if transcript.status is assemblyai.TranscriptStatus.error:
                return self._nothing(transcript.error or "")
            return _recognised(client.last_response.json() if client.last_response else {})

        with closing(client.http_client):
            return self._jobs.result(upload, language, begin, finish)

    def _config(self, language: str | None) -> Any:  # noqa: ANN401 - mypy does not follow the SDK
        import assemblyai

        return assemblyai.TranscriptionConfig(
            speech_models=list(self._settings.assemblyai_models),
            language_code=whisper_code(language) if language else None,
            language_detection=None if language else True,
            keyterms_prompt=list(self._settings.key_terms) or None,
        )

    def _nothing(self, reason: str) -> Recognised:
        if "no spoken audio" in reason.lower():
            return Recognised(words=(), language=None)
        raise PermanentError(f"AssemblyAI could not transcribe a chunk{told(reason, self._key)}")


@contextmanager
def _refusals(client: Any) -> Iterator[None]:  # noqa: ANN401 - mypy does not follow the SDK
    """Turn the SDK's error into the answer that it is about."""
    import assemblyai

    try:
        yield
    except assemblyai.TranscriptError as error:
        if error.status_code is None:
            raise TransientError("AssemblyAI did not finish in time") from None
        raise refused(client.last_response) from None


def _recognised(transcript: dict[str, Any]) -> Recognised:
    code = transcript.get("language_code")
    return Recognised(
        words=[
            Heard(word["text"], word["start"], word["end"], word["confidence"])
            for word in transcript["words"]
        ],
        language=tag_of(primary_subtag(code)) if code else None,
    )
