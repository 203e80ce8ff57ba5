"""The services of a mesh, by name."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from services.runtime.errors import BadInputError
from services.runtime.mesh import Mesh
from services.runtime.service import Service

NAMES = ("ingest", "transcribe", "diarize", "emotion", "merge", "subtitles")


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The services that are named, each once; 'all' names every one.

    Raises:
        BadInputError: when one does not exist.
    """
    for name in names:
        if name not in {*NAMES, "all"}:
            known = ", ".join(("all", *NAMES))
            raise BadInputError(f"no service is called {name!r}; there are: {known}")
    return NAMES if "all" in names else tuple(dict.fromkeys(names))


def wired(mesh: Mesh, names: Sequence[str]) -> list[Service]:
    """Services on a mesh; each one's libraries are imported only now.

    Raises:
        BadInputError: when a service's packages are not installed.
    """
    services: list[Service] = []
    for name in names:
        try:
            module = import_module(f"services.{name}.app")
        except ModuleNotFoundError as error:
            raise BadInputError(
                f"the service {name} needs the Python package {error.name}: "
                f"pip install 'voxmesh[{name}]'"
            ) from error
        services.append(module.service(mesh))
    return services
