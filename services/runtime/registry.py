"""Where a stage's engines are looked up by name.

Besides those of its own registry a stage has the engines that installed packages offer, by the
standard entry points: group `voxmesh.<stage>`, name of the engine, `module:Class`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
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
            EngineUnusableError: when there is none, or its file cannot be imported.
        """
        place = self._places.get(name)
        if place is None:
            known = ", ".join(self._places)
            raise EngineUnusableError(
                f"no {self._stage} engine is called {name!r}; there are: {known}"
            )
        module, _, attribute = place.partition(":")
        try:
            made: Any = getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise EngineUnusableError(
                f"the {self._stage} engine {name} cannot be loaded: {error}"
            ) from error
        engine: E = made(settings)
        return engine

    @property
    def _places(self) -> dict[str, str]:
        others = offered(self._stage).items()
        return {**self._own, **{name: place for name, place in others if name not in self._own}}


@cache
def offered(stage: Stage) -> Mapping[str, str]:
    """The engines that installed packages offer for a stage; looked for once."""
    return {point.name: point.value for point in entry_points(group=f"voxmesh.{stage}")}
