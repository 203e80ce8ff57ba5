"""Files of blocks with blank lines between, and the times of a cue in each: WebVTT and SubRip."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.subtitles.checking import Violation
from services.subtitles.rules import Rule

ARROW = "-->"


@dataclass(frozen=True)
class Block:
    """A block that has times."""

    start_ms: int
    end_ms: int
    settings: str
    text: tuple[str, ...]


def split_blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Blocks of lines, each with the number of its first line."""
    block: list[str] = []
    lines = re.split(r"\r\n|\r|\n", text)
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def parse_block(number: int, lines: list[str], times: re.Pattern[str]) -> Block | Violation:
    """The block that begins on a line; `times` has hours, minutes, seconds and ms, twice."""
    at = next((at for at, line in enumerate(lines[:2]) if ARROW in line), None)
    if at is None:
        message = f"line {number}: a block without times"
        return Violation(Rule.UNREADABLE, 0, 0, message)
    found = times.match(lines[at].strip())
    if found is None:
        message = f"line {number + at}: no times of a cue: {lines[at].strip()[:60]!r}"
        return Violation(Rule.UNREADABLE, 0, 0, message)
    parts = [int(part or 0) for part in found.groups()[:8]]
    settings = found.groups()[8].strip()
    return Block(_time(parts[:4]), _time(parts[4:]), settings, tuple(lines[at + 1 :]))


def _time(parts: list[int]) -> int:
    hours, minutes, seconds, milliseconds = parts
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds
