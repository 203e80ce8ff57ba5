"""Reads caption files that anybody made: one module per format, found by the file's suffix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from services.runtime.errors import BadInputError
from services.subtitles.checking import Reading
from services.subtitles.readers.ass import read_ass
from services.subtitles.readers.scc import read_scc
from services.subtitles.readers.srt import read_srt
from services.subtitles.readers.ttml import read_ttml
from services.subtitles.readers.webvtt import read_webvtt

__all__ = ["READERS", "read_captions"]

READERS: Mapping[str, Callable[[str], Reading]] = {
    ".vtt": read_webvtt,
    ".srt": read_srt,
    ".ass": read_ass,
    ".ssa": read_ass,
    ".ttml": read_ttml,
    ".dfxp": read_ttml,
    ".xml": read_ttml,
    ".scc": read_scc,
}


def read_captions(path: Path) -> Reading:
    """The captions of a file.

    Raises:
        BadInputError: when it cannot be read as what its suffix says.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(READERS)
        raise BadInputError(f"{path} ends in none of {known}, so its format is not known")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadInputError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path} is not written in UTF-8") from error
    try:
        return reader(text)
    except ValueError as error:
        raise BadInputError(f"{path} cannot be read: {error}") from error
