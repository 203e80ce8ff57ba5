"""Reads Advanced SubStation Alpha."""

from __future__ import annotations

import re
from collections.abc import Mapping

from services.subtitles.checking import Caption, Reading, Violation
from services.subtitles.rules import Rule

_STAMP = re.compile(r"(\d+):(\d{1,2}):(\d{1,2})[.:](\d{1,2})$")
_TAGS = re.compile(r"\{[^}]*\}")
_PLACES = re.compile(r"\\(?:an?\d+|pos\([^)]*\)|move\([^)]*\))")
_FIELDS = ("Layer", "Start", "End", "Style", "Name", "MarginL", "MarginR", "MarginV", "Effect")
_WORD_JOINER = "\u2060"


def read_ass(text: str) -> Reading:
    """The dialogue without tags, in the order of the file."""
    captions: list[Caption] = []
    faults: list[Violation] = []
    fields: list[str] = [*_FIELDS, "Text"]
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        kind, _, rest = line.partition(":")
        if line.startswith("["):
            section = line.strip().lower()
        elif section == "[events]" and kind == "Format":
            fields = [field.strip() for field in rest.split(",")]
        elif section == "[events]" and kind == "Dialogue":
            values = [value.strip() for value in rest.split(",", len(fields) - 1)]
            caption = _caption(dict(zip(fields, values, strict=False)))
            if caption is None:
                message = f"line {number}: no dialogue: {line[:60]!r}"
                faults.append(Violation(Rule.UNREADABLE, 0, 0, message))
            else:
                captions.append(caption)
    return Reading(tuple(captions), tuple(faults), slack_ms=10)


def _caption(event: Mapping[str, str]) -> Caption | None:
    start, end = (_STAMP.match(event.get(name, "")) for name in ("Start", "End"))
    if start is None or end is None:
        return None
    text = event.get("Text", "")
    place = " ".join([event.get("MarginV", ""), *_PLACES.findall(text)])
    speaker = event.get("Name", "")
    shown = _TAGS.sub("", text).replace("\\h", "\u00a0").replace(_WORD_JOINER, "")
    return Caption(_time(start), _time(end), tuple(re.split(r"\\[Nn]", shown)), place, speaker)


def _time(stamp: re.Match[str]) -> int:
    hours, minutes, seconds, hundredths = (int(part) for part in stamp.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + hundredths * 10
