"""Places between words are told apart by how well a line ends there."""

from __future__ import annotations

import pytest

from services.subtitles.breaks import Break, break_between
from services.subtitles.function_words import function_words


@pytest.mark.parametrize(
    ("left", "right", "language", "kind"),
    [
        ("home.", "Then", "en", Break.SENTENCE),
        ("home.”", "Then", "en", Break.SENTENCE),
        ("home?", "Then", None, Break.SENTENCE),
        ("Dr.", "Marsh", "en", Break.TIGHT),
        ("J.", "Marsh", "en", Break.TIGHT),
        ("etc.", "and", "en", Break.CLAUSE),
        ("Well,", "then", "en", Break.CLAUSE),
        ("home", "and", "en", Break.CONJUNCTION),
        ("home", "with", "en-GB", Break.PREPOSITION),
        ("painted", "the", "en", Break.PHRASE),
        ("quiet", "weekend", "en", Break.PLAIN),
        ("the", "kitchen", "en", Break.TIGHT),
        ("I\u2019m", "here", "en", Break.TIGHT),
        ("40", "dollars", None, Break.TIGHT),
        ("New", "York", "en", Break.TIGHT),
        ("alte", "Haus", "de", Break.PLAIN),
        ("Haus", "Tür", "de", Break.PLAIN),
        ("der", "Tür", "de", Break.TIGHT),
        ("maison", "avec", "fr", Break.PREPOSITION),
        ("Bonjour", "!", "fr", Break.GLUED),
    ],
)
def test_kinds_of_breaks(left: str, right: str, language: str | None, kind: Break) -> None:
    assert break_between(left, right, function_words(language), spaced=True) is kind


@pytest.mark.parametrize(
    ("left", "right", "kind"),
    [
        ("我", "们", Break.PLAIN),
        ("家。", "然后", Break.SENTENCE),
        ("家、", "然后", Break.CLAUSE),
        ("家", "。", Break.GLUED),
        ("「", "家", Break.GLUED),
        ("ab", "cd", Break.GLUED),
    ],
)
def test_breaks_without_spaces(left: str, right: str, kind: Break) -> None:
    assert break_between(left, right, function_words("zh"), spaced=False) is kind
