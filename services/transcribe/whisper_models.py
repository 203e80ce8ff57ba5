"""Which Whisper model runs here, in which number format, where it lies, and how it is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from services.runtime.engines import Usability, hub_reachable
from services.runtime.errors import EngineUnusableError, PermanentError, TransientError
from services.transcribe.settings import AUTO, TranscribeSettings

_GPU_MODEL = "large-v3-turbo"
_CPU_MODEL = "small"
_FILES = ("config.json", "model.bin", "tokenizer.json")
"""Without the last, faster-whisper would ask the hub for one."""
_OUT_OF_MEMORY = "out of memory"


def device(settings: TranscribeSettings) -> str:
    """The device to compute on: cpu or cuda."""
    return settings.device if settings.device != AUTO else "cuda" if gpu_count() else "cpu"


def model_name(settings: TranscribeSettings) -> str:
    """Name or folder of the model."""
    if settings.whisper_model != AUTO:
        return settings.whisper_model
    return _GPU_MODEL if device(settings) == "cuda" else _CPU_MODEL


def compute_type(settings: TranscribeSettings) -> str:
    """The number format to compute in."""
    if settings.compute_type != AUTO:
        return settings.compute_type
    return "float16" if device(settings) == "cuda" else "int8"


@lru_cache(maxsize=1)
def gpu_count() -> int:
    """How many GPUs CTranslate2 can use."""
    import ctranslate2  # type: ignore[import-untyped]  # ships no types

    try:
        return int(ctranslate2.get_cuda_device_count())
    except RuntimeError:  # a driver that is older than the CUDA that it was built with
        return 0


def model_usability(settings: TranscribeSettings) -> Usability:
    """Whether the device is there and the model here or in reach."""
    name = model_name(settings)
    if settings.device == "cuda" and not gpu_count():
        return Usability(
            usable=False,
            reason="CTranslate2 finds no GPU that it can use",
            remedy="install NVIDIA's driver, or set VOXMESH_TRANSCRIBE_DEVICE=cpu",
        )
    if _local_folder(name, settings.model_cache):
        return Usability(usable=True, reason=f"the Whisper model {name} is on this machine")
    if not _known(name):
        return Usability(
            usable=False,
            reason=f"{name!r} is neither a Whisper model's name nor a folder that holds one",
            remedy="set VOXMESH_TRANSCRIBE_WHISPER_MODEL to one of "
            f"{', '.join(_names())}, to owner/name on the hub, or to a folder",
        )
    if hub_reachable():
        return Usability(usable=True, reason=f"the Whisper model {name} can be fetched when needed")
    return Usability(
        usable=False,
        reason=f"the Whisper model {name} is not on this machine and the hub is out of reach",
        remedy="connect to the network once, or set VOXMESH_TRANSCRIBE_WHISPER_MODEL to a folder",
    )


def load(settings: TranscribeSettings) -> Any:  # noqa: ANN401 - faster-whisper has no types
    """The model, as a `faster_whisper.WhisperModel`; fetched when it is not on this machine.

    Raises:
        TransientError: when fetching breaks off.
        EngineUnusableError: when there is no such model, or it cannot be loaded.
    """
    from faster_whisper import WhisperModel

    name = model_name(settings)
    folder = _local_folder(name, settings.model_cache) or _fetched(settings)
    try:
        return WhisperModel(
            str(folder),
            device=device(settings),
            compute_type=compute_type(settings),
            cpu_threads=settings.cpu_threads or len(os.sched_getaffinity(0)),
        )
    except (RuntimeError, ValueError) as error:  # damaged, or the device lacks its number format
        if _OUT_OF_MEMORY in str(error):
            raise
        raise EngineUnusableError(f"the Whisper model {name} cannot be loaded: {error}") from error


@contextmanager
def named_failures(model: str) -> Iterator[None]:
    """Turns what CTranslate2 raises into errors of the mesh; `model` is what they call it."""
    try:
        yield
    except MemoryError as error:
        raise TransientError(f"there is no memory left for the Whisper model {model}") from error
    except RuntimeError as error:  # what CTranslate2 raises, whatever failed
        if _OUT_OF_MEMORY in str(error):
            raise TransientError(
                f"the GPU has no memory left for the Whisper model {model}; choose a smaller one, "
                "or a smaller VOXMESH_TRANSCRIBE_BATCH_SIZE, if this goes on"
            ) from error
        if "cannot be loaded" in str(error):  # a library of CUDA, when it is first used
            raise EngineUnusableError(
                f"the Whisper model {model} cannot run on this GPU: {error}; install CUDA's "
                "libraries, or set VOXMESH_TRANSCRIBE_DEVICE=cpu"
            ) from error
        raise PermanentError(f"the Whisper model {model} failed on a chunk: {error}") from error


def _local_folder(name: str, cache: Path | None) -> Path | None:
    """Where the whole model lies on this machine; asks no network."""
    folder = Path(name).expanduser()
    if not folder.is_dir():
        from faster_whisper import download_model

        try:
            folder = Path(download_model(name, local_files_only=True, cache_dir=_text(cache)))
        except (ValueError, OSError):  # no name of a model, or not in the cache
            return None
    return folder if all((folder / file).is_file() for file in _FILES) else None


def _fetched(settings: TranscribeSettings) -> Path:
    from faster_whisper import download_model
    from huggingface_hub.errors import RepositoryNotFoundError

    usability = model_usability(settings)
    if not usability.usable:
        raise EngineUnusableError(f"{usability.reason}; {usability.remedy}")
    name = model_name(settings)
    try:
        folder = Path(download_model(name, cache_dir=_text(settings.model_cache)))
    except RepositoryNotFoundError as error:
        raise EngineUnusableError(f"the hub has no model {name!r} that anyone may fetch") from error
    except OSError as error:
        raise TransientError(f"the Whisper model {name} could not be fetched: {error}") from error
    missing = [file for file in _FILES if not (folder / file).is_file()]
    if missing:
        raise PermanentError(
            f"{name!r} is no Whisper model for CTranslate2: it lacks {', '.join(missing)}"
        )
    return folder


def _known(name: str) -> bool:
    owner, slash, model = name.partition("/")
    return name in _names() or bool(slash and owner and model and "/" not in model)


def _names() -> list[str]:
    from faster_whisper import available_models

    return list(available_models())


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path.expanduser())
