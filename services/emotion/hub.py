"""Where a model's files are: a folder, the Hugging Face cache, or the hub.

A model is a folder, `owner/name` or `owner/name@revision`. What is in the cache is used as it is,
without asking the hub whether there is something newer: so an engine starts without a network, and
never waits for one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from services.runtime.engines import Usability, hub_reachable
from services.runtime.errors import EngineUnusableError, TransientError

Layout = tuple[str, ...]
"""Names of files that make a model complete."""

_REPOSITORY = re.compile(r"(?P<id>[\w-][\w.-]*(?:/[\w.-]+)?)(?:@(?P<revision>[\w./-]+))?")
_SMALL_FILES = ("*.json", "*.txt", "*.model")
"""Tokenizers and configurations, whatever their names."""


def local_folder(model: str, layouts: Sequence[Layout]) -> Path | None:
    """The folder that holds a model complete in one of the layouts, without any network."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        found = _cached_folder(model, layouts)
    else:
        found = folder if any(_is_complete(folder, layout) for layout in layouts) else None
    return found


def fetched_folder(model: str, layouts: Sequence[Layout]) -> Path:
    """The folder that holds a model, downloaded when it is not here yet; layouts by preference.

    Raises:
        EngineUnusableError: when there is no such model, or not in one of the layouts.
        TransientError: when the hub cannot be reached.
    """
    folder = local_folder(model, layouts)
    if folder is not None:
        return folder
    if _repository(model) is None:
        raise EngineUnusableError(_incomplete(model, layouts))
    if not hub_reachable():
        raise TransientError(f"the model {model} is not in the cache and the hub is out of reach")
    return _downloaded(model, layouts)


def model_usability(model: str, layouts: Sequence[Layout]) -> Usability:
    """Whether a model is here, or can be fetched."""
    if local_folder(model, layouts) is not None:
        return Usability(usable=True, reason=f"the model {model} is here")
    if _repository(model) is None:
        return Usability(
            usable=False,
            reason=_incomplete(model, layouts),
            remedy="name a folder that holds them, or a model on the hub",
        )
    if hub_reachable():
        return Usability(usable=True, reason=f"the model {model} will be fetched at first use")
    return Usability(
        usable=False,
        reason=f"the model {model} is not in the cache and the hub is out of reach",
        remedy="connect once so that it can be fetched, or name a folder that holds it",
    )
