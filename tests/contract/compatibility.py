"""Whether records that were written by one schema can be read by a later one, with nothing lost.

A field may be added when it is optional, and what a field takes may grow. Readers are upgraded
before writers, so that what has grown is understood by the time it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


def incompatibilities(old: Schema, new: Schema) -> list[str]:
    """What a reader with the new schema refuses or loses of the old; each as a sentence."""
    return list(_Comparison(old.get("$defs", {}), new.get("$defs", {})).of(old, new, ""))


class _Comparison:
    def __init__(self, old_definitions: Schema, new_definitions: Schema) -> None:
        self._old = old_definitions
        self._new = new_definitions

    def of(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        accepted = list(_alternatives(new, self._new))
        for written in _alternatives(old, self._old):
            readers = [reader for reader in accepted if _takes(reader, written)]
            problems = [list(self._within(written, reader, where)) for reader in readers]
            if not readers:
                yield f"{where or 'the record'}: no longer takes {_kind(written)}"
            elif all(problems):
                yield from min(problems, key=len)

    def _within(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        yield from _values(old, new, where)
        yield from _bounds(old, new, where)
        yield from self._fields(old, new, where)
        if isinstance(new.get("items"), Mapping):
            yield from self.of(old.get("items", {}), new["items"], f"{where}[]")
        if isinstance(new.get("additionalProperties"), Mapping):
            values = old.get("additionalProperties", {})
            yield from self.of(values, new["additionalProperties"], f"{where}{{}}")
        if "propertyNames" in new:
            keys = old.get("propertyNames", {"type": "string"})
            yield from self.of(keys, new["propertyNames"], f"a key of {where}")

    def _fields(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before:
            path = f"{where}.{name}".lstrip(".")
            if name in after:
                yield from self.of(before[name], after[name], path)
            else:
                yield f"{path}: removed"
        for name in new.get("required", ()):
            if name not in old.get("required", ()):
                yield f"{where}.{name}".lstrip(".") + ": required, but was not always written"


def _alternatives(schema: Schema, definitions: Schema) -> Iterator[Schema]:
    if "$ref" in schema:
        yield from _alternatives(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    elif "anyOf" in schema:
        for alternative in schema["anyOf"]:
            yield from _alternatives(alternative, definitions)
    else:
        yield schema


def _kind(schema: Schema) -> str:
    return str(schema.get("type", "anything"))


def _takes(reader: Schema, written: Schema) -> bool:
    kinds = {_kind(written), "number" if _kind(written) == "integer" else "anything", "anything"}
    return _kind(reader) in kinds


def _allowed(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _values(old: Schema, new: Schema, where: str) -> Iterator[str]:
    before, after = _allowed(old), _allowed(new)
    if after is not None:
        if before is None:
            yield f"{where}: takes only {after} now"
        else:
            yield from (f"{where}: no longer takes {v!r}" for v in before if v not in after)


def _bounds(old: Schema, new: Schema, where: str) -> Iterator[str]:
    for name in LOWER_BOUNDS:
        if name in new and new[name] > old.get(name, float("-inf")):
            yield f"{where}: {name} is {new[name]} now"
    for name in UPPER_BOUNDS:
        if name in new and new[name] < old.get(name, float("inf")):
            yield f"{where}: {name} is {new[name]} now"
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield f"{where}: has to match {new['pattern']} now"
