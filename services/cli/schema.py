"""`voxmesh schema`: the contract, for readers in any language."""

from __future__ import annotations

import sys

from services.cli.exits import SUCCESS
from services.runtime.errors import BadInputError
from voxmesh_schemas.generate import as_text, documents


def schema(name: str | None) -> int:
    """Print a document, or the names of all; gives the exit code.

    Raises:
        BadInputError: when there is none of that name.
    """
    known = documents()
    if name is None:
        sys.stdout.write("\n".join(known) + "\n")
        return SUCCESS
    if name not in known:
        raise BadInputError(f"no record is called {name!r}; there are: {', '.join(known)}")
    sys.stdout.write(as_text(known[name]))
    return SUCCESS
