"""How type shows what a voice sounds like, apart from its speaker's colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voxmesh_schemas import Emotion


@dataclass(frozen=True)
class Type:
    """What differs from upright, regular type."""

    bold: bool = False
    italic: bool = False


STYLES: Mapping[Emotion, Type] = {
    Emotion.ANGRY: Type(bold=True),
    Emotion.SURPRISED: Type(bold=True, italic=True),
    Emotion.SAD: Type(italic=True),
    Emotion.FEARFUL: Type(italic=True),
    Emotion.DISGUSTED: Type(italic=True),
}
"""Loud ones stand out and low ones lean; a strong emotion that is not here needs no style."""
