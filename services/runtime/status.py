"""How a stage's engines stand, for the roster, `doctor` and plans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from services.runtime.engines import Engine
from services.runtime.roster import EngineStatus

Look = Callable[[], Sequence[EngineStatus]]
"""Finds out how engines stand, the preferred ones first. Blocks for a few seconds at most."""


def engine_statuses(names: Iterable[str], make: Callable[[str], Engine]) -> Look:
    """A function that asks each engine whether it is usable, in the order given."""

    def look() -> list[EngineStatus]:
        return [_status(make(name)) for name in names]

    return look


def _status(engine: Engine) -> EngineStatus:
    found = engine.usability()
    return EngineStatus(
        name=engine.name,
        model=engine.model,
        usable=found.usable,
        reason=found.reason,
        remedy=found.remedy,
    )
