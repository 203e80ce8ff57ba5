"""Where a stage's engines are looked up by name.

Besides those of its own registry a stage has the engines that installed packages offer, by the
standard entry points: group `voxmesh.<stage>`, name of the engine, `module:Class`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from services.runtime.engines import Engine
from services.runtime.errors import EngineUnusableError
from voxmesh_schemas import Stage

E = TypeVar("E", bound=Engine)


class Registry(Generic[E]):
    """The engines of one stage, the preferred one first. Imports an engine's file when it is made.

    `own` maps names to `module:Class`; a class is called with its service's settings.
    """

    def __init__(self, stage: Stage, own: Mapping[str, str]) -> None:
        self._stage = stage
        self._own = dict(own)

    @property
    def names(self) -> tuple[str, ...]:
        """All names; engines of other packages come last."""
        return tuple(self._places)

    def make(self, name: str, settings: object) -> E:
        """The engine of that name.

        Raises:
            EngineUnusableError: when there is none.
        """
        place = self._places.get(name)
        if place is None:
            known = ", ".join(self._places)
            raise EngineUnusableError(
                f"no {self._stage} engine is called {name!r}; there are: {known}"
            )
        module, _, attribute = place.partition(":")
        made: Any = getattr(import_module(module), attribute)
        engine: E = made(settings)
        return engine

    @cached_property
    def _places(self) -> dict[str, str]:
        found = {point.name: point.value for point in entry_points(group=f"voxmesh.{self._stage}")}
        return {**self._own, **{n: place for n, place in found.items() if n not in self._own}}
