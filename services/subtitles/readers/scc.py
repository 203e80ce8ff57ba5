"""Reads Scenarist SCC, and checks what the channel allows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.subtitles.cea608 import with_parity
from services.subtitles.checking import Reading, Violation
from services.subtitles.readers.timed_text import by_ttconv, captions_of, need_ttconv
from services.subtitles.rules import Rule

_LINE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;])(\d\d)\s+((?:[0-9a-fA-F]{4}\s*)+)$")
_FRAME_MS = 34


def read_scc(text: str) -> Reading:
    """The captions of field 1, channel 1, and what a decoder would stumble over."""
    need_ttconv()
    from ttconv.scc import reader

    if not text.startswith("Scenarist_SCC V1.0"):
        raise ValueError("its first line is not 'Scenarist_SCC V1.0'")
    faults = tuple(_faults(text))
    with by_ttconv():
        captions = captions_of(reader.to_model(text))
    return Reading(tuple(captions), faults, slack_ms=_FRAME_MS)


def _faults(text: str) -> Iterator[Violation]:
    free = 0
    for number, line in enumerate(text.splitlines()[1:], start=2):
        if not line.strip():
            continue
        found = _LINE.match(line.strip())
        if found is None:
            message = f"line {number}: no time code and words: {line.strip()[:60]!r}"
            yield Violation(Rule.UNREADABLE, 0, 0, message)
            continue
        frame, words = _frame(found), found.group(6).split()
        at_ms = frame * 1001 // 30
        if frame < free:
            message = f"line {number}: begins {free - frame} frames before the one ahead is sent"
            yield Violation(Rule.CHANNEL_OVERRUN, at_ms, 0, message)
        free = frame + len(words)
        wrong = [word for word in words if word.lower() != _with_parity(word)]
        if wrong:
            message = f"line {number}: {wrong[0]} has even parity"
            yield Violation(Rule.BAD_PARITY, at_ms, 0, message)


def _with_parity(word: str) -> str:
    return with_parity(int(word, 16) & 0x7F7F)


def _frame(found: re.Match[str]) -> int:
    """The frame of a time code, counted from 0."""
    hours, minutes, seconds, frames = (int(found.group(at)) for at in (1, 2, 3, 5))
    minutes += hours * 60
    frame = (minutes * 60 + seconds) * 30 + frames
    return frame - 2 * (minutes - minutes // 10) if found.group(4) == ";" else frame
