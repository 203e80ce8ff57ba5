"""What a worker process runs: one recogniser on one chunk. Engines stay loaded in the process."""

from __future__ import annotations

from functools import lru_cache

from services.runtime.audio import decode_wav
from services.runtime.engines import Transcriber
from services.transcribe.engines import ENGINES
from services.transcribe.settings import TranscribeSettings


# All of a job's: one that is let go is made, and its model loaded, anew for every chunk.
@lru_cache(maxsize=16)
def _engine(name: str, settings: TranscribeSettings) -> Transcriber:
    return ENGINES.make(name, settings)


def transcribe(name: str, settings: TranscribeSettings, language: str | None, wav: bytes) -> bytes:
    """The `Hypothesis` of an engine for a chunk, as JSON."""
    hypothesis = _engine(name, settings).transcribe(decode_wav(wav), language=language)
    return hypothesis.model_dump_json().encode()
