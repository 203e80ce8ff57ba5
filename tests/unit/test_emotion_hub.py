"""Where the files of a model are found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.emotion.hub import fetched_folder, local_folder, model_usability
from services.runtime.errors import EngineUnusableError

LAYOUTS = (("config.json", "model.safetensors"), ("config.json", "pytorch_model.bin"))


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("{}", encoding="utf-8")
    return folder


@pytest.mark.parametrize("weights", ["model.safetensors", "pytorch_model.bin"])
def test_a_folder_with_the_files_of_a_layout_is_the_model(tmp_path: Path, weights: str) -> None:
    folder = touch(tmp_path / "model", "config.json", weights)
    assert fetched_folder(str(folder), LAYOUTS) == folder
    assert model_usability(str(folder), LAYOUTS).usable


@pytest.mark.parametrize("name", ["incomplete", "absent"])
def test_a_folder_without_them_is_refused_and_says_what_it_lacks(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "incomplete", "config.json")
    model = str(tmp_path / name)
    usability = model_usability(model, LAYOUTS)
    assert not usability.usable
    assert "model.safetensors" in usability.reason
    assert usability.remedy
    with pytest.raises(EngineUnusableError, match=r"pytorch_model\.bin"):
        fetched_folder(model, LAYOUTS)


def test_a_relative_path_may_not_be_taken_for_a_model_on_the_hub() -> None:
    assert local_folder("./no/such/folder", LAYOUTS) is None
    assert "hub is out of reach" not in model_usability("./no/such/folder", LAYOUTS).reason


def in_a_fresh_process(code: str, cache: Path) -> str:
    """What a program prints whose cache is elsewhere; the hub client reads that once, at import."""
    pytest.importorskip("huggingface_hub")
    program = f"from services.emotion.hub import *\nLAYOUTS = {LAYOUTS!r}\n{code}\n"
    environment = os.environ | {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def cached(cache: Path, *names: str) -> Path:
    """A model in the form of the hub's cache: a branch, a commit, its files."""
    repository = cache / "models--owner--name"
    touch(repository / "refs").joinpath("main").write_text("c0ffee", encoding="utf-8")
    return touch(repository / "snapshots" / "c0ffee", *names)


@pytest.mark.parametrize("model", ["owner/name", "owner/name@c0ffee", "owner/name@main"])
def test_a_model_in_the_cache_is_used_without_the_hub(tmp_path: Path, model: str) -> None:
    folder = cached(tmp_path, "config.json", "pytorch_model.bin")
    code = f"print(fetched_folder({model!r}, LAYOUTS), model_usability({model!r}, LAYOUTS).usable)"
    assert in_a_fresh_process(code, tmp_path) == f"{folder} True"


@pytest.mark.parametrize("model", ["owner/name", "owner/name@another", "owner/absent"])
def test_what_is_not_whole_in_the_cache_needs_the_hub_and_says_so(
    tmp_path: Path, model: str
) -> None:
    cached(tmp_path, "config.json")
    code = (
        f"print(model_usability({model!r}, LAYOUTS))\n"
        f"try: fetched_folder({model!r}, LAYOUTS)\n"
        "except TransientError as error: print('transient:', error)"
    )
    told = in_a_fresh_process(code, tmp_path)
    assert "usable=False" in told
    assert f"transient: the model {model} is not in the cache and the hub is out of reach" in told
