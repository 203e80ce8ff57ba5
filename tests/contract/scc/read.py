"""Reads a JSON array of SCC files on standard input and writes what pycaption makes of each."""

from __future__ import annotations

import json
import sys

from pycaption import SCCReader  # type: ignore[import-not-found]  # in a folder of its own


def read(text: str) -> list[tuple[float, float, list[str]]]:
    """Start and end in milliseconds, and the lines."""
    found = SCCReader().read(text)
    captions = found.get_captions(found.get_languages()[0])
    return [
        (caption.start / 1000, caption.end / 1000, caption.get_text().split("\n"))
        for caption in captions
    ]


if __name__ == "__main__":
    sys.stdout.write(json.dumps([read(text) for text in json.load(sys.stdin)]))
