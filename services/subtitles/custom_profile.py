"""A house style of one's own: what differs from a profile, from a TOML or JSON file or a job."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from services.runtime.errors import BadInputError
from services.subtitles.profiles import PROFILES, WEB, Profile

_BASE = "base"
_LEAST = {"line_cells": 10, "max_lines": 1, "max_duration_ms": 1000, "cells_per_second": 1}
_MOST = {"max_lines": 4, "note_confidence": 1, "frames_per_second": 240}
_KINDS = {
    each.name: type(getattr(WEB, each.name))
    for each in fields(Profile)
    if each.name not in {"name", "scripts"}
}


def read_profile(path: Path) -> tuple[str, dict[str, Any]]:
    """The base profile that a file names (`web` when it names none), and what differs from it.

    Raises:
        BadInputError: when it cannot be read or makes no sense.
    """
    try:
        text = path.read_text(encoding="utf-8")
        rules = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except OSError as error:
        raise BadInputError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise BadInputError(f"{path} is no profile: {error}") from error
    if not isinstance(rules, dict):
        raise BadInputError(f"{path} is no profile: it holds no table of rules")
    base = str(rules.pop(_BASE, "web"))
    profile_of(base, rules)
    return base, rules


def profile_of(name: str, rules: Mapping[str, Any]) -> Profile:
    """The profile of a name with some of its rules changed.

    Raises:
        BadInputError: when there is no such profile or rule, or a rule makes no sense.
    """
    if name not in PROFILES:
        raise BadInputError(f"there is no profile {name!r}; there are: {', '.join(PROFILES)}")
    if not rules:
        return PROFILES[name]
    changed = {rule: _value(rule, value) for rule, value in rules.items()}
    profile = replace(PROFILES[name], name="custom", **changed)
    if profile.min_duration_ms > profile.max_duration_ms:
        raise BadInputError("a profile's min_duration_ms is more than its max_duration_ms")
    return profile


def _value(rule: str, value: object) -> Any:  # noqa: ANN401 - the rule's own type
    if rule not in _KINDS:
        raise BadInputError(f"a profile has no rule {rule!r}; it has: {', '.join(_KINDS)}")
    kind = _KINDS[rule]
    try:
        number = Fraction(str(value))
    except (ValueError, ZeroDivisionError) as error:
        raise BadInputError(f"a profile's {rule} has to be a number, not {value!r}") from error
    least = 10 if kind is Fraction else _LEAST.get(rule, 0)
    if number < least or number > _MOST.get(rule, 10**7):
        raise BadInputError(f"a profile's {rule} cannot be {value}")
    if kind is int and number.denominator != 1:
        raise BadInputError(f"a profile's {rule} has to be a whole number, not {value}")
    return kind(number)
