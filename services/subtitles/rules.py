"""The rules that captions are held to."""

from __future__ import annotations

from enum import StrEnum


class Rule(StrEnum):
    """What a caption can fall short of; where rules cannot all hold, the words always do."""

    UNREADABLE = "unreadable"
    BAD_PARITY = "bad-parity"
    CHANNEL_OVERRUN = "channel-overrun"
    EMPTY = "empty"
    LINE_TOO_LONG = "line-too-long"
    TOO_MANY_LINES = "too-many-lines"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    TOO_FAST = "too-fast"
    OUT_OF_ORDER = "out-of-order"
    OVERLAP = "overlap"
    NO_GAP = "no-gap"
    OPEN_GAP = "open-gap"
    TIGHT_BREAK = "tight-break"
