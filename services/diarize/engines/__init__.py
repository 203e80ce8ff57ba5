"""The diarizers, the preferred one first; each is one line here and one file beside this.

An engine is made from `DiarizeSettings`; see `services.runtime.engines` for what it has to offer.
"""

from __future__ import annotations

from importlib import import_module

from services.diarize.settings import DiarizeSettings
from services.runtime.engines import Diarizer
from services.runtime.errors import EngineUnusableError

_ENGINES = {
    "pyannote": "services.diarize.engines.pyannote:Pyannote",
    "acoustic": "services.diarize.engines.acoustic:Acoustic",
}

NAMES = tuple(_ENGINES)


def make(name: str, settings: DiarizeSettings) -> Diarizer:
    """The diarizer of that name.

    Raises:
        EngineUnusableError: when there is none.
    """
    if name not in _ENGINES:
        raise EngineUnusableError(
            f"there is no diarizer {name!r}; choose one of {', '.join(NAMES)}"
        )
    module, _, attribute = _ENGINES[name].partition(":")
    engine: Diarizer = getattr(import_module(module), attribute)(settings)
    return engine
