"""The recognisers, the preferred one first; each is one line here and one file beside this.

An engine is made from `TranscribeSettings`; see `services.runtime.engines` for what it has to
offer.
"""

from __future__ import annotations

from importlib import import_module

from services.runtime.engines import Transcriber
from services.runtime.errors import EngineUnusableError
from services.transcribe.settings import TranscribeSettings

_ENGINES = {
    "faster-whisper": "services.transcribe.engines.faster_whisper:FasterWhisper",
    "pocketsphinx": "services.transcribe.engines.pocketsphinx:PocketSphinx",
}

NAMES = tuple(_ENGINES)


def make(name: str, settings: TranscribeSettings) -> Transcriber:
    """The recogniser of that name.

    Raises:
        EngineUnusableError: when there is none.
    """
    if name not in _ENGINES:
        raise EngineUnusableError(
            f"there is no recogniser {name!r}; choose one of {', '.join(NAMES)}"
        )
    module, _, attribute = _ENGINES[name].partition(":")
    engine: Transcriber = getattr(import_module(module), attribute)(settings)
    return engine
