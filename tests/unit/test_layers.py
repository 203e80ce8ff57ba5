"""Who may import whom, and what stays out of an interpreter that does not need it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

SERVICES = ROOT / "services"
NAMES = sorted(
    folder.name for folder in SERVICES.iterdir() if folder.is_dir() and any(folder.glob("*.py"))
)
HEAVY = ("faststream", "aiokafka", "torch")

PURE = (
    "voxmesh_schemas",
    "voxmesh_schemas.generate",
    "services.ingest.chunking",
    "services.ingest.plan",
    "services.merge.attribution",
    "services.merge.fusion",
    "services.merge.linking",
    "services.merge.stitching",
    "services.merge.transcript",
    "services.merge.utterances",
    "services.merge.voting",
    "services.subtitles.cues",
    "services.subtitles.srt",
    "services.subtitles.webvtt",
)


def imported(path: Path) -> Iterator[str]:
    """Modules that a file names in its import statements, wherever they stand."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively, which this test cannot follow"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_services(package: Path) -> set[str]:
    modules = {name for path in package.rglob("*.py") for name in imported(path)}
    return {name.split(".")[1] for name in modules if name.startswith("services.")}


def loaded(module: str) -> set[str]:
    """Top-level packages in a fresh interpreter that has imported the module."""
    program = f"import {module}, sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"cli", "runtime"}])
def test_a_service_imports_no_other_service(name: str) -> None:
    assert imported_services(SERVICES / name) <= {name, "runtime"}


def test_the_runtime_knows_no_service() -> None:
    assert imported_services(SERVICES / "runtime") <= {"runtime"}


def test_the_contract_knows_no_implementation() -> None:
    assert imported_services(ROOT / "schemas") == set()


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_needs_neither_broker_nor_engine(module: str) -> None:
    assert loaded(module).isdisjoint(HEAVY)


def test_help_is_quick_to_come() -> None:
    needless = {*HEAVY, "av", "numpy", "obstore", "opentelemetry", "redis", "scipy", "yt_dlp"}
    assert loaded("services.cli.__main__").isdisjoint(needless)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"cli", "runtime"}])
def test_a_service_starts_without_its_engines(name: str) -> None:
    heavy = {"torch", "torchaudio", "transformers", "faster_whisper", "pocketsphinx", "pyannote"}
    assert loaded(f"services.{name}.app").isdisjoint(heavy)
