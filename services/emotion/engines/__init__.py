"""The emotion engines, the preferred one first; each is one line here and one file beside this.

An engine is made from `EmotionSettings`; see `services.runtime.engines` for what it has to offer.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from services.emotion.settings import EmotionSettings
from services.runtime.engines import AudioEmotionEngine, TextEmotionEngine
from services.runtime.errors import EngineUnusableError

_AUDIO = {
    "speechbrain": "services.emotion.engines.speechbrain:SpeechBrainEngine",
    "transformers": "services.emotion.engines.transformers_audio:TransformersAudioEngine",
    "prosody": "services.emotion.engines.prosody:ProsodyEngine",
}
_TEXT = {
    "transformers": "services.emotion.engines.transformers_text:TransformersTextEngine",
    "vader": "services.emotion.engines.vader:VaderEngine",
}

AUDIO_NAMES = tuple(_AUDIO)
TEXT_NAMES = tuple(_TEXT)


def make_audio(name: str, settings: EmotionSettings) -> AudioEmotionEngine:
    """The audio engine of that name.

    Raises:
        EngineUnusableError: when there is none.
    """
    engine: AudioEmotionEngine = _engine_class("audio", _AUDIO, name)(settings)
    return engine


def make_text(name: str, settings: EmotionSettings) -> TextEmotionEngine:
    """The text engine of that name.

    Raises:
        EngineUnusableError: when there is none.
    """
    engine: TextEmotionEngine = _engine_class("text", _TEXT, name)(settings)
    return engine


def _engine_class(modality: str, registry: Mapping[str, str], name: str) -> Any:  # noqa: ANN401 - found by its name
    if name not in registry:
        raise EngineUnusableError(
            f"there is no {modality} emotion engine {name!r}; choose one of {', '.join(registry)}"
        )
    module, _, attribute = registry[name].partition(":")
    return getattr(import_module(module), attribute)
