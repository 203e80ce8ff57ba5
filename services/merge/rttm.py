"""NIST RTTM, the field's format for who spoke when (RT-09 evaluation plan, appendix A)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from voxmesh_schemas import Turn


def format_rttm(recording: str, turns: Iterable[Turn], *, channel: int = 1) -> str:
    """A SPEAKER line per turn, in the order given; blanks in names become underscores."""
    name = _token(recording)
    return "".join(
        f"SPEAKER {name} {channel} {turn.start_ms / 1000:.3f} {turn.duration_ms / 1000:.3f} "
        f"<NA> <NA> {_token(turn.speaker)} <NA> <NA>\n"
        for turn in turns
    )


def _token(text: str) -> str:
    """A field of the line: never empty, never with white space."""
    return re.sub(r"\s+", "_", text.strip()) or "<NA>"
