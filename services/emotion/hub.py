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

_REPOSITORY = re.compile(r"([\w-][\w.-]*(?:/[\w.-]+)?)(?:@([\w./-]+))?")
"""`name`, `owner/name` or either with `@revision`; nothing that starts like a path."""
_SMALL_FILES = ("*.json", "*.txt", "*.model")
"""Tokenizers and configurations, whatever their names."""


def local_folder(model: str, layouts: Sequence[Layout]) -> Path | None:
    """The folder that holds a model complete in one of the layouts, without any network."""
    for layout in layouts:
        folder = _folder(model) or _cached_folder(model, layout[0])
        if folder is not None and all((folder / name).is_file() for name in layout):
            return folder
    return None


def fetched_folder(model: str, layouts: Sequence[Layout]) -> Path:
    """The folder that holds a model, downloaded when it is not here yet; layouts by preference.

    Raises:
        EngineUnusableError: when there is no such model, or not in one of the layouts.
        TransientError: when the hub cannot be reached.
    """
    folder = local_folder(model, layouts)
    if folder is not None:
        return folder
    if _folder(model) is not None or not _REPOSITORY.fullmatch(model):
        raise EngineUnusableError(_incomplete(model, layouts))
    if not hub_reachable():
        raise TransientError(f"the model {model} is not in the cache and the hub is out of reach")
    return _downloaded(model, layouts)


def model_usability(model: str, layouts: Sequence[Layout]) -> Usability:
    """Whether a model is here, or can be fetched."""
    if local_folder(model, layouts) is not None:
        return Usability(usable=True, reason=f"the model {model} is here")
    if _folder(model) is not None or not _REPOSITORY.fullmatch(model):
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


def _folder(model: str) -> Path | None:
    folder = Path(model).expanduser()
    return folder if folder.is_dir() else None


def _repository(model: str) -> tuple[str, str | None]:
    """Name and revision on the hub."""
    name, _, revision = model.partition("@")
    return name, revision or None


def _cached_folder(model: str, name: str) -> Path | None:
    """The snapshot in the cache that holds a file of that name."""
    if not _REPOSITORY.fullmatch(model):
        return None
    from huggingface_hub import try_to_load_from_cache

    repository, revision = _repository(model)
    path = try_to_load_from_cache(repository, name, revision=revision)
    return Path(path).parent if isinstance(path, str) else None


def _downloaded(model: str, layouts: Sequence[Layout]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    repository, revision = _repository(model)
    for layout in layouts:
        try:
            folder = Path(
                snapshot_download(
                    repository, revision=revision, allow_patterns=[*layout, *_SMALL_FILES]
                )
            )
        except (HFValidationError, RepositoryNotFoundError, RevisionNotFoundError) as error:
            raise EngineUnusableError(
                f"the hub shows no model {model}: check its name, and HF_TOKEN if it is not public"
            ) from error
        except Exception as error:  # the hub client changes its transport, and so its errors
            raise TransientError(
                f"fetching the model {model} failed: {type(error).__name__}"
            ) from error
        if all((folder / name).is_file() for name in layout):
            return folder
    raise EngineUnusableError(_incomplete(model, layouts))


def _incomplete(model: str, layouts: Sequence[Layout]) -> str:
    files = ", or ".join(", ".join(layout) for layout in layouts)
    return f"{model} is no folder and no model on the hub with the files {files}"
