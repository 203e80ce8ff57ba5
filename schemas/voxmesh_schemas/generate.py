"""The contract for readers in any language: JSON Schemas, and the AsyncAPI document of the mesh.

`python -m voxmesh_schemas.generate FOLDER` writes them, `--check` says which files are stale, and
`--release FILE` keeps the schemas of a release, which later ones must stay compatible with.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from voxmesh_schemas.asyncapi import asyncapi_document
from voxmesh_schemas.events import EVENTS, DeadLetter
from voxmesh_schemas.json_schema import Untitled
from voxmesh_schemas.plan import JobOptions
from voxmesh_schemas.results import Diarization, EmotionTrack, Hypothesis
from voxmesh_schemas.transcript import Transcript

RECORDS: tuple[type[BaseModel], ...] = (
    *EVENTS,
    DeadLetter,
    Hypothesis,
    Diarization,
    EmotionTrack,
    Transcript,
    JobOptions,
)
"""What has a schema of its own: events, what artifacts hold, and what a user asks for."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ASYNCAPI = "asyncapi"

Document = dict[str, Any]


def record_schemas() -> dict[str, Document]:
    """The JSON Schema of every record, by its name."""
    return {
        record.__name__: {
            "$schema": DIALECT,
            **record.model_json_schema(schema_generator=Untitled),
        }
        for record in RECORDS
    }


def documents() -> dict[str, Document]:
    """Every document by its name: a record's schema, or `asyncapi`."""
    return {**record_schemas(), ASYNCAPI: asyncapi_document()}


def as_text(document: Mapping[str, Any]) -> str:
    """A document as a file holds it: the same bytes for the same contract."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def stale(folder: Path) -> list[str]:
    """Names of the files in a folder that are not what the models say, missing and extra ones too.

    A release's file is not one of them.
    """
    wanted = {f"{name}.json": as_text(document) for name, document in documents().items()}
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(
        name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
    )


def write(folder: Path) -> None:
    """Write every document into a folder, and remove those of records that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        path.unlink()
    for name, document in documents().items():
        (folder / f"{name}.json").write_text(as_text(document), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check; gives the exit code."""
    parser = argparse.ArgumentParser(prog="voxmesh_schemas.generate", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the generated files")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="only say which files are stale")
    mode.add_argument("--release", action="store_true", help="write the one file of a release")
    options = parser.parse_args(arguments)
