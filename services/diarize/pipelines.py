"""Where the files of a pyannote pipeline are: a folder, the Hugging Face cache, or the hub.

A pipeline is a folder, `owner/name` or `owner/name@revision`. Its config.yaml names the models it
is made of: parts of its own (`$model/…`) or repositories of their own. What is in the cache is used
as it is, so an engine starts without a network and never waits for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.runtime.engines import Usability, hub_reachable
from services.runtime.errors import EngineUnusableError, TransientError

_CONFIG = "config.yaml"
_PARTS = {
    "segmentation": ("pytorch_model.bin",),
    "embedding": ("pytorch_model.bin",),
    "plda": ("xvec_transform.npz", "plda.npz"),
}
"""Parameters of a pipeline that name a model, with the files of such a model."""
_DEFAULT_REPOSITORY = "pyannote/speaker-diarization-community-1"
"""Where pyannote.audio 4 takes a part that a pipeline does not name; 3.1 names no PLDA."""
_REPOSITORY = re.compile(r"([\w-][\w.-]*/[\w.-]+)(?:@([\w./-]+))?")
_GATED = "pyannote/"
"""Repositories of this owner ask for an account that has accepted their conditions."""


@dataclass(frozen=True)
class _Remote:
    """A file of a repository on the hub."""

    repository: str
    file: str
    revision: str | None = None

    @property
    def cached(self) -> Path | None:
        """Where the file is in the cache, if it is."""
        from huggingface_hub import try_to_load_from_cache

        path = try_to_load_from_cache(self.repository, self.file, revision=self.revision)
        return Path(path) if isinstance(path, str) else None


def local_pipeline(model: str) -> Path | None:
    """The folder of a pipeline that is here with all of its parts; asks no network."""
    name = _REPOSITORY.fullmatch(model)
    folder = _folder(model)
    if folder is None and name is not None:
        config = _Remote(name[1], _CONFIG, name[2]).cached
        folder = config.parent if config else None
    files = _files(folder) if folder else []
    return folder if files and all(_is_here(file) for file in files) else None


def fetched_pipeline(model: str, token: str | None) -> Path:
    """The folder of a pipeline; what is not here of it and its parts is downloaded.

    Raises:
        EngineUnusableError: when there is no such pipeline, or the account may not have it.
        TransientError: when the hub cannot be reached.
    """
    folder = local_pipeline(model)
    if folder is not None:
        return folder
    if not _can_be_fetched(model):
        raise EngineUnusableError(_incomplete(model))
    if not hub_reachable():
        raise TransientError(f"the pipeline {model} is not all here and the hub is out of reach")
    with _fetching(model):
        _fetch_parts(_folder(model) or _fetch(model, token), token)
    folder = local_pipeline(model)
    if folder is None:
        raise EngineUnusableError(_incomplete(model))
    return folder


def pipeline_usability(model: str, token: str | None) -> Usability:
    """Whether a pipeline is here, or can be fetched."""
    if local_pipeline(model) is not None:
        return Usability(usable=True, reason=f"the pipeline {model} is here")
    if not _can_be_fetched(model):
        remedy = "set VOXMESH_DIARIZE_PYANNOTE_MODEL to a pipeline's folder or name on the hub"
        return Usability(usable=False, reason=_incomplete(model), remedy=remedy)
    if not hub_reachable():
        return Usability(
            usable=False,
            reason=f"the pipeline {model} is not all here and the hub is out of reach",
            remedy="connect once so that it can be fetched, or name a folder that holds it",
        )
    if token is None and model.startswith(_GATED):
        return Usability(
            usable=False,
            reason=f"the pipeline {model} is gated, and there is no access token",
            remedy=_how_to_get_in(model),
        )
    return Usability(usable=True, reason=f"the pipeline {model} will be fetched at first use")


def _fetch(model: str, token: str | None) -> Path:
    from huggingface_hub import snapshot_download

    repository, _, revision = model.partition("@")
    return Path(snapshot_download(repository, revision=revision or None, token=token))


def _fetch_parts(folder: Path, token: str | None) -> None:
    from huggingface_hub import hf_hub_download

    for file in _files(folder):
        if isinstance(file, _Remote) and file.cached is None:
            hf_hub_download(file.repository, file.file, revision=file.revision, token=token)


@contextmanager
def _fetching(model: str) -> Iterator[None]:
    """Turns what goes wrong between here and the hub into an error of the mesh, without a token."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    refused = (GatedRepoError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError)
    try:
        yield
    except refused as error:
        raise EngineUnusableError(
            f"the hub does not hand out the pipeline {model} or a model it is made of: "
            f"check the name, and {_how_to_get_in(model)}"
        ) from error
    except Exception as error:  # the hub client changes its transport, and so its errors
        raise TransientError(
            f"fetching the pipeline {model} failed: {type(error).__name__}"
        ) from error


def _how_to_get_in(model: str) -> str:
    return (
        f"accept the conditions on https://huggingface.co/{model.partition('@')[0]} "
        "and set HF_TOKEN to a token of that account"
    )


def _incomplete(model: str) -> str:
    return f"{model} is no folder, and no name on the hub, with a {_CONFIG} and all it refers to"


def _can_be_fetched(model: str) -> bool:
    """Whether the hub may have what is missing: not the own files of a folder."""
    folder = _folder(model)
    if folder is None:
        return _REPOSITORY.fullmatch(model) is not None
    files = _files(folder)
    return bool(files) and all(_is_here(file) for file in files if isinstance(file, Path))


def _folder(model: str) -> Path | None:
    folder = Path(model).expanduser()
    return folder if folder.is_dir() else None


def _is_here(file: Path | _Remote) -> bool:
    return file.is_file() if isinstance(file, Path) else file.cached is not None


def _files(folder: Path) -> list[Path | _Remote]:
    """The files of the models that a pipeline's config.yaml names; none when it is not sound."""
    import yaml  # type: ignore[import-untyped]  # its types are a package of their own

    try:
        config = yaml.safe_load((folder / _CONFIG).read_text("utf-8"))
        parameters = dict(config["pipeline"]["params"])
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return []
    return [
        _place(folder, part, parameters.get(part), file)
        for part, files in _PARTS.items()
        for file in files
    ]


def _place(folder: Path, part: str, value: object, file: str) -> Path | _Remote:
    if value is None:
        return _Remote(_DEFAULT_REPOSITORY, f"{part}/{file}")
    text = str(value)
    if text.startswith("$model/"):
        return folder / text.removeprefix("$model/") / file
    name = _REPOSITORY.fullmatch(text)
    path = Path(text)
    if path.exists() or name is None:
        return path if path.is_file() else path / file
    return _Remote(name[1], file, name[2])
