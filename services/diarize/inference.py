"""What a worker process runs: one diarizer on one chunk. Engines stay loaded in the process."""

from __future__ import annotations

from functools import lru_cache

from services.diarize.engines import ENGINES
from services.diarize.settings import DiarizeSettings
from services.runtime.audio import decode_wav
from services.runtime.engines import Diarizer


@lru_cache(maxsize=2)
def _engine(name: str, settings: DiarizeSettings) -> Diarizer:
    return ENGINES.make(name, settings)


def diarize(
    name: str,
    settings: DiarizeSettings,
    min_speakers: int | None,
    max_speakers: int | None,
    wav: bytes,
) -> bytes:
    """The `Diarization` of an engine for a chunk, as JSON."""
    diarization = _engine(name, settings).diarize(
        decode_wav(wav), min_speakers=min_speakers, max_speakers=max_speakers
    )
    return diarization.model_dump_json().encode()
