"""How a stage's engines stand, for the roster, `doctor` and plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from services.runtime.engines import Engine
from services.runtime.errors import EngineUnusableError
from services.runtime.registry import Registry
from services.runtime.roster import EngineStatus

Look = Callable[[], Sequence[EngineStatus]]
"""Finds out how engines stand, the preferred ones first. Blocks for a few seconds at most."""


def engine_statuses(engines: Registry[Any], settings: object) -> Look:
    """A function that asks each engine whether it is usable, in the order of preference."""

    def look() -> list[EngineStatus]:
        return [_status(engines, name, settings) for name in engines.names]

    return look


def _status(engines: Registry[Any], name: str, settings: object) -> EngineStatus:
    try:
        engine: Engine = engines.make(name, settings)
        found = engine.usability()
    except EngineUnusableError as error:
        return EngineStatus(name=name, usable=False, reason=str(error))
    except Exception as error:
        return EngineStatus(name=name, usable=False, reason=f"it breaks when asked: {error!r}")
    return EngineStatus(
        name=engine.name,
        model=engine.model,
        usable=found.usable,
        reason=found.reason,
        remedy=found.remedy,
        sends_audio_to=engine.sends_audio_to,
    )
