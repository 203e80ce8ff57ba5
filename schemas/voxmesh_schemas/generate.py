"""The contract for readers in any language: JSON Schemas, and the AsyncAPI document of the mesh.

    python -m voxmesh_schemas.generate write FOLDER     a file per record, and asyncapi.json
    python -m voxmesh_schemas.generate check FOLDER     say which of them are stale
    python -m voxmesh_schemas.generate release FILE     all schemas in one file

The file of a release is kept, since whatever that release wrote must stay readable.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from voxmesh_schemas.asyncapi import Untitled, asyncapi_document
from voxmesh_schemas.events import EVENTS, DeadLetter
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

ASYNCAPI = "asyncapi"
"""Name of the document about the whole mesh."""

Document = dict[str, Any]


def record_schemas() -> dict[str, Document]:
    """The JSON Schema of every record, by its name."""
    return {
        record.__name__: {
            "$schema": GenerateJsonSchema.schema_dialect,
            **record.model_json_schema(schema_generator=Untitled),
        }
        for record in RECORDS
    }


def documents() -> dict[str, Document]:
    """Every document by its name."""
    return {**record_schemas(), ASYNCAPI: asyncapi_document()}


def as_text(document: Mapping[str, Any]) -> str:
    """A document as files hold it: the same bytes for the same contract."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def stale(folder: Path) -> list[str]:
    """Names of the files in a folder that are not what the models say, lacking and surplus ones."""
    wanted = {f"{name}.json": as_text(document) for name, document in documents().items()}
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(n for n in wanted.keys() | found.keys() if wanted.get(n) != found.get(n))


def write(folder: Path) -> None:
    """Write every document into a folder, and remove those of records that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        path.unlink()
    for name, document in documents().items():
        (folder / f"{name}.json").write_text(as_text(document), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; gives the exit code."""
    parser = argparse.ArgumentParser(prog="voxmesh_schemas.generate")
    parser.add_argument("action", choices=("write", "check", "release"))
    parser.add_argument("path", type=Path)
    options = parser.parse_args(arguments)
    if options.action == "write":
        write(options.path)
    elif options.action == "release":
        options.path.write_text(as_text(record_schemas()), encoding="utf-8")
    elif names := stale(options.path):
        sys.stderr.write(f"stale in {options.path}: {', '.join(names)}; run: make schemas\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
