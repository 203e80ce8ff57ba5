"""What tests of the whole mesh share: the test engines, and a mesh on any bus."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.runtime.registry import offered

PLUGIN = Path(__file__).parent / "plugin"


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """Where the test engines note what they have done."""
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def test_engines(monkeypatch: pytest.MonkeyPatch, marks: Path) -> Iterator[None]:
    """The test engines as if their package were installed, here and in every process started."""
    monkeypatch.syspath_prepend(PLUGIN)
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(PLUGIN), os.environ.get("PYTHONPATH", "")])
    )
    monkeypatch.setenv("VOXMESH_TEST_MARKS", str(marks))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    offered.cache_clear()
    yield
    offered.cache_clear()
