"""Which Whisper model runs, where it is found, and what its failures are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.runtime.errors import (
    EngineUnusableError,
    PermanentError,
    TransientError,
    VoxmeshError,
)
from services.transcribe.settings import TranscribeSettings
from services.transcribe.whisper_models import (
    compute_type,
    model_name,
    model_usability,
    named_failures,
)

FILES = ("config.json", "model.bin", "tokenizer.json")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (TranscribeSettings(device="cpu"), ("small", "int8")),
        (TranscribeSettings(device="cuda"), ("large-v3-turbo", "float16")),
        (TranscribeSettings(device="cpu", compute_type="float32"), ("small", "float32")),
        (TranscribeSettings(device="cuda", whisper_model="tiny"), ("tiny", "float16")),
    ],
)
def test_the_device_decides_on_what_is_not_set(
    settings: TranscribeSettings, expected: tuple[str, str]
) -> None:
    assert (model_name(settings), compute_type(settings)) == expected


def cached_model(cache: Path, repository: str, files: tuple[str, ...]) -> None:
    """A model as the Hugging Face hub's client keeps it."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    commit = "0" * 40
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(commit)
    (folder / "snapshots" / commit).mkdir(parents=True)
    for file in files:
        (folder / "snapshots" / commit / file).write_bytes(b"")


@pytest.mark.parametrize("name", ["small", "Systran/faster-whisper-small"])
def test_a_model_in_the_cache_is_found_without_the_network(tmp_path: Path, name: str) -> None:
    cached_model(tmp_path, "Systran/faster-whisper-small", FILES)
    settings = TranscribeSettings(whisper_model=name, model_cache=tmp_path, device="cpu")
    usability = model_usability(settings)
    assert usability.usable
    assert usability.reason == f"the Whisper model {name} is on this machine"


def test_a_model_that_was_fetched_in_part_is_not_on_this_machine(tmp_path: Path) -> None:
    cached_model(tmp_path, "Systran/faster-whisper-small", FILES[:2])
    settings = TranscribeSettings(whisper_model="small", model_cache=tmp_path, device="cpu")
    assert "is on this machine" not in model_usability(settings).reason


def test_a_folder_is_a_model_when_it_is_whole(tmp_path: Path) -> None:
    settings = TranscribeSettings(whisper_model=str(tmp_path), device="cpu")
    assert not model_usability(settings).usable
    for file in FILES:
        (tmp_path / file).write_bytes(b"")
    assert model_usability(settings).usable


@pytest.mark.parametrize(
    ("failure", "error", "says"),
    [
        (RuntimeError("CUDA failed with error out of memory"), TransientError, "BATCH_SIZE"),
        (MemoryError(), TransientError, "no memory left"),
        (
            RuntimeError("Library libcublas.so.12 is not found or cannot be loaded"),
            EngineUnusableError,
            "VOXMESH_TRANSCRIBE_DEVICE=cpu",
        ),
        (RuntimeError("something else"), PermanentError, "something else"),
        (PermanentError("as it was"), PermanentError, "^as it was$"),
    ],
)
def test_failures_say_what_to_do(failure: Exception, error: type[VoxmeshError], says: str) -> None:
    with pytest.raises(error, match=says) as raised, named_failures("small int8"):
        raise failure
    assert type(raised.value) is error
