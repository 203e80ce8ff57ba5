"""Reads WebVTT."""

from __future__ import annotations

import re
from html import unescape

from services.subtitles.checking import Caption, Reading, Violation
from services.subtitles.readers.blocks import Block, parse_block, split_blocks
from services.subtitles.rules import Rule

_STAMP = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMES = re.compile(rf"{_STAMP}[ \t]+-->[ \t]+{_STAMP}((?:[ \t].*)?)$")
_TAG = re.compile(r"<[^>]*>?")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]*)>")
_PLACE = re.compile(r"\b(?:line|position|region):\S+")
_LANGUAGE = re.compile(r"^Language: ([A-Za-z0-9-]+)$", re.MULTILINE)


def read_webvtt(text: str) -> Reading:
    """The cues without tags, and what a validator would refuse."""
    captions: list[Caption] = []
    faults: list[Violation] = []
    if not re.match(r"WEBVTT(?:[ \t\n\r]|$)", text):
        faults.append(Violation(Rule.UNREADABLE, 0, 0, "line 1: WEBVTT is missing"))
    for at, (number, lines) in enumerate(split_blocks(text)):
        is_header = at == 0 and lines[0].startswith("WEBVTT")
        if is_header or re.match(r"(?:NOTE|STYLE|REGION)(?:[ \t]|$)", lines[0]):
            continue
        block = parse_block(number, lines, _TIMES)
        if isinstance(block, Block):
            captions.append(_caption(block))
        else:
            faults.append(block)
    language = _LANGUAGE.search(text.split("\n\nSTYLE")[0])
    return Reading(tuple(captions), tuple(faults), language.group(1) if language else None)


def _caption(block: Block) -> Caption:
    shown = unescape(_TAG.sub("", "\n".join(block.text)))
    place = " ".join(sorted(_PLACE.findall(block.settings)))
    voices = " ".join(_VOICE.findall("\n".join(block.text)))
    return Caption(block.start_ms, block.end_ms, tuple(shown.split("\n")), place, unescape(voices))
