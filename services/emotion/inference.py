"""What a worker process runs: one emotion engine on one chunk. Engines stay loaded there."""

from __future__ import annotations

from functools import lru_cache

from services.emotion.engines import AUDIO, TEXT
from services.emotion.settings import EmotionSettings
from services.runtime.audio import decode_wav
from services.runtime.engines import AudioEmotionEngine, TextEmotionEngine
from voxmesh_schemas import Hypothesis


@lru_cache(maxsize=2)
def _hearing(name: str, settings: EmotionSettings) -> AudioEmotionEngine:
    return AUDIO.make(name, settings)


@lru_cache(maxsize=2)
def _reading(name: str, settings: EmotionSettings) -> TextEmotionEngine:
    return TEXT.make(name, settings)


def hear(name: str, settings: EmotionSettings, wav: bytes) -> bytes:
    """The `EmotionTrack` of an engine for a chunk of audio, as JSON."""
    return _hearing(name, settings).detect(decode_wav(wav)).model_dump_json().encode()


def read(name: str, settings: EmotionSettings, hypothesis: bytes) -> bytes:
    """The `EmotionTrack` of an engine for a `Hypothesis` in JSON, as JSON."""
    words = Hypothesis.model_validate_json(hypothesis)
    return _reading(name, settings).detect(words).model_dump_json().encode()
