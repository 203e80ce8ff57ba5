"""Reads TTML, IMSC and DFXP."""

from __future__ import annotations

from xml.etree import ElementTree

from services.subtitles.checking import Reading
from services.subtitles.readers.timed_text import by_ttconv, captions_of, need_ttconv

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def read_ttml(text: str) -> Reading:
    """The paragraphs; raises `ValueError` when it is no such document."""
    need_ttconv()
    from ttconv.imsc import reader

    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it declares entities, which captions have no use for")
    try:
        # Entities, which could blow up memory, are refused above.
        root = ElementTree.fromstring(text)  # noqa: S314 - for that reason
    except ElementTree.ParseError as error:
        raise ValueError(f"it is not well-formed XML: {error}") from error
    if not root.tag.endswith("}tt"):
        raise ValueError("it is not a TTML document")
    with by_ttconv():
        captions = captions_of(reader.to_model(ElementTree.ElementTree(root)))
    return Reading(tuple(captions), language=root.get(_LANGUAGE) or None)
