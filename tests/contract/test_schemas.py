"""The generated contract: fresh, compatible with what was released, and true."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from pydantic import BaseModel
from redis.asyncio import Redis

from services.cli.mesh_services import NAMES
from services.runtime.bus import MemoryBus
from services.runtime.envelope import to_message
from services.runtime.mesh import Mesh
from services.runtime.settings import MeshSettings
from services.runtime.workers import WorkerThreads
from tests.conftest import ROOT, without
from tests.contract.compatibility import incompatibilities
from tests.examples import EXAMPLES
from voxmesh_schemas import EVENTS, Event
from voxmesh_schemas.asyncapi import PARTIES, asyncapi_document
from voxmesh_schemas.generate import RECORDS, record_schemas, stale

ASYNCAPI_SPECS = "@asyncapi/specs@6.11.1"
RELEASED: dict[str, Any] = json.loads((ROOT / "schemas" / "released.json").read_text("utf-8"))


def test_the_generated_files_are_what_the_models_say() -> None:
    assert stale(ROOT / "schemas" / "json") == [], "run: make schemas"


@pytest.mark.parametrize("name", RELEASED)
def test_what_the_last_release_wrote_can_still_be_read(name: str) -> None:
    schemas = record_schemas()
    assert name in schemas, f"the record {name} was released and is gone"
    assert incompatibilities(RELEASED[name], schemas[name]) == []


def test_every_record_has_an_example() -> None:
    assert [type(example) for example in EXAMPLES] == list(RECORDS)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: type(example).__name__)
def test_an_example_agrees_with_its_schema_and_survives_the_wire(example: BaseModel) -> None:
    text = example.model_dump_json()
    schema = record_schemas()[type(example).__name__]
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(text))
    assert type(example).model_validate_json(text) == example


def test_every_event_has_a_topic_of_its_own() -> None:
    assert len({event.topic for event in EVENTS}) == len(EVENTS)
    assert len({event.type for event in EVENTS}) == len(EVENTS)


class TestAsyncApi:
    def test_the_document_is_valid_asyncapi_3(self, asyncapi_schema: dict[str, Any]) -> None:
        errors = Draft7Validator(asyncapi_schema).iter_errors(asyncapi_document())
        assert [f"{error.json_path}: {error.message}" for error in errors] == []

    @pytest.mark.parametrize(
        "event", [e for e in EXAMPLES if isinstance(e, Event)], ids=lambda e: type(e).__name__
    )
    def test_a_message_agrees_with_it(self, event: Event) -> None:
        document = asyncapi_document()
        channel = document["channels"][event.topic]
        described = document["components"]["messages"][type(event).__name__]
        assert type(event).__name__ in channel["messages"]
        message = to_message(event, producer="ingest")
        rooted = {"components": document["components"]}
        for part, value in (
            ("headers", dict(message.headers)),
            ("payload", json.loads(message.body)),
        ):
            Draft202012Validator({**rooted, **described[part]}).validate(value)

    @pytest.mark.parametrize("name", NAMES)
    async def test_a_service_hears_what_it_says(self, name: str, tmp_path: Path) -> None:
        settings = MeshSettings(state_dir=tmp_path)
        mesh = Mesh.joined(settings, bus=MemoryBus(), redis=Redis(), workers=WorkerThreads(1))
        service = importlib.import_module(f"services.{name}.app").service(mesh)
        assert set(service.handlers) == set(PARTIES[name].receives)

    def test_every_event_is_told_and_heard(self) -> None:
        sent = {message for party in PARTIES.values() for message in party.sends}
        assert sent >= set(EVENTS)


@pytest.fixture(scope="module")
def asyncapi_schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The official JSON Schema of AsyncAPI 3.0."""
    npm = shutil.which("npm")
    if not npm:
        without("no AsyncAPI schema: npm is not installed")
    folder = tmp_path_factory.mktemp("asyncapi")
    command = [npm, "pack", "--silent", ASYNCAPI_SPECS]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        without(f"no AsyncAPI schema: npm does not get {ASYNCAPI_SPECS}")
    with tarfile.open(next(folder.glob("*.tgz"))) as package:
        member = package.extractfile("package/schemas/3.0.0.json")
        assert member is not None
        schema: dict[str, Any] = json.load(member)
        return schema
