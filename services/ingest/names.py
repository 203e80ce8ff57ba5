"""Names of recordings, safe to show in a terminal, on a page and in a caption file."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

_LONGEST = 120
_JOINERS = "\u200c\u200d"  # Persian, many Indic scripts and emoji are spelt with them


def shown_name(text: str) -> str:
    """One line of a name: no control characters, nothing that turns the text around, not long."""
    kept = "".join(
        character if character in _JOINERS or unicodedata.category(character)[0] != "C" else " "
        for character in text
    )
    line = " ".join(kept.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def name_from_url(url: str) -> str:
    """The last part of an address' path, else its host; never what may hold secrets."""
    parts = urlsplit(url)
    return shown_name(unquote(PurePosixPath(parts.path).name)) or shown_name(parts.hostname or "")
