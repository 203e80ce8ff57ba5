"""Reads SubRip."""

from __future__ import annotations

import re

from services.subtitles.checking import Caption, Reading, Violation
from services.subtitles.readers.blocks import Block, parse_block, split_blocks

_STAMP = r"(\d+):(\d{1,2}):(\d{1,2})[,.](\d{1,3})"
_TIMES = re.compile(rf"{_STAMP}\s*-->\s*{_STAMP}(.*)$")
_TAG = re.compile(r"</?(?:[ibus]|font)(?:\s[^>]*)?>|\{\\[^}]*\}", re.IGNORECASE)
_ALIGNMENT = re.compile(r"\{\\an?(\d+)\}")
_WORD_JOINER = "\u2060"


def read_srt(text: str) -> Reading:
    """The cues without tags."""
    captions: list[Caption] = []
    faults: list[Violation] = []
    for number, lines in split_blocks(text):
        block = parse_block(number, lines, _TIMES)
        if isinstance(block, Block):
            captions.append(_caption(block))
        else:
            faults.append(block)
    return Reading(tuple(captions), tuple(faults))


def _caption(block: Block) -> Caption:
    text = "\n".join(block.text)
    shown = _TAG.sub("", text).replace(_WORD_JOINER, "")
    place = " ".join(_ALIGNMENT.findall(text))
    return Caption(block.start_ms, block.end_ms, tuple(shown.split("\n")), place)
