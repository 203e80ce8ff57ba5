"""What counts as an incompatible change of a record's schema."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.compatibility import incompatibilities

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
COUNT = {"type": "integer", "minimum": 0}
NOTHING = {"type": "null"}


def record(*required: str, **fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(required)}


def optional(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, NOTHING]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(record("a", a=TEXT), record("a", a=TEXT), id="nothing changes"),
        pytest.param(record("a", a=TEXT), record("a", a=TEXT, b=TEXT), id="an optional field"),
        pytest.param(record("a", a=TEXT), record(a=optional(TEXT)), id="a field may be missing"),
        pytest.param(record(a=COUNT), record(a=NUMBER), id="an integer becomes a number"),
        pytest.param(record(a=COUNT), record(a={"type": "integer"}), id="a bound goes"),
        pytest.param(record(a={"enum": ["x"]}), record(a={"enum": ["y", "x"]}), id="a value more"),
        pytest.param(record(a={"const": 1}), record(a={"enum": [1, 2]}), id="a version more"),
        pytest.param(record(a=TEXT), record(a={}), id="anything goes"),
    ],
)
def test_what_an_older_version_wrote_stays_readable(old: Any, new: Any) -> None:
    assert incompatibilities(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        pytest.param(record(a=TEXT), record(), "a: removed", id="a field is removed"),
        pytest.param(
            record(a=TEXT),
            record("b", a=TEXT, b=TEXT),
            "b: required, but was not always written",
            id="a required field is added",
        ),
        pytest.param(
            record(a=TEXT),
            record("a", a=TEXT),
            "a: required, but was not always written",
            id="a field becomes required",
        ),
        pytest.param(
            record(a=optional(TEXT)), record(a=TEXT), "a: no longer takes null", id="null is gone"
        ),
        pytest.param(
            record(a=NUMBER), record(a=COUNT), "a: no longer takes number", id="integers only"
        ),
        pytest.param(
            record(a=TEXT), record(a=COUNT), "a: no longer takes string", id="another type"
        ),
        pytest.param({}, record(), "the record: no longer takes anything", id="a type at last"),
        pytest.param(
            record(a={"enum": ["x", "y"]}),
            record(a={"enum": ["x"]}),
            "a: no longer takes 'y'",
            id="an enum value is removed",
        ),
        pytest.param(
            record(a={"const": 1}),
            record(a={"const": 2}),
            "a: no longer takes 1",
            id="a constant changes",
        ),
        pytest.param(
            record(a=TEXT),
            record(a={"type": "string", "enum": ["x"]}),
            "a: takes only ['x'] now",
            id="free text becomes a choice",
        ),
        pytest.param(
            record(a=COUNT),
            record(a={"type": "integer", "minimum": 1}),
            "a: minimum is 1 now",
            id="a lower bound rises",
        ),
        pytest.param(
            record(a=TEXT),
            record(a={"type": "string", "maxLength": 9}),
            "a: maxLength is 9 now",
            id="an upper bound comes",
        ),
        pytest.param(
            record(a=TEXT),
            record(a={"type": "string", "pattern": "^x"}),
            "a: has to match ^x now",
            id="a pattern comes",
        ),
        pytest.param(
            record(a={"type": "array", "items": record(b=TEXT)}),
            record(a={"type": "array", "items": record()}),
            "a[].b: removed",
            id="in a list",
        ),
        pytest.param(
            record(a={"type": "object", "additionalProperties": NUMBER}),
            record(a={"type": "object", "additionalProperties": COUNT}),
            "a{}: no longer takes number",
            id="in a mapping's values",
        ),
        pytest.param(
            record(a={"type": "object", "propertyNames": {"type": "string", "enum": ["x", "y"]}}),
            record(a={"type": "object", "propertyNames": {"type": "string", "enum": ["x"]}}),
            "a key of a: no longer takes 'y'",
            id="in a mapping's keys",
        ),
    ],
)
def test_what_is_refused_or_lost_is_named(old: Any, new: Any, found: str) -> None:
    assert incompatibilities(old, new) == [found]


def test_definitions_are_looked_up_on_their_own_side() -> None:
    old = record(a={"$ref": "#/$defs/Part"}) | {"$defs": {"Part": record(b=TEXT, c=TEXT)}}
    new = record(a={"$ref": "#/$defs/Piece"}) | {"$defs": {"Piece": record(c=TEXT)}}
    assert incompatibilities(old, new) == ["a.b: removed"]
