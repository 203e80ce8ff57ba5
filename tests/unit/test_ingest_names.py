from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.names import name_from_url, shown_name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A talk", "A talk"),
        ("  two\n lines\t", "two lines"),
        ("red \x1b[31mtext\x07", "red [31mtext"),
        ("gpj.\u202etxt", "gpj. txt"),
        ("मा\u200dला", "मा\u200dला"),
        ("x" * 200, "x" * 119 + "…"),
        ("", ""),
    ],
)
def test_names_are_one_safe_line(text: str, shown: str) -> None:
    assert shown_name(text) == shown


@given(st.text())
def test_no_name_holds_control_characters(text: str) -> None:
    shown = shown_name(text)
    assert len(shown) <= 120
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Co", "Cn"} for c in shown)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.example/talks/My%20talk.mp3?token=secret#t=3", "My talk.mp3"),
        ("https://user:secret@a.example/", "a.example"),
        ("https://a.example/%2e%2e%2f%2e%2e%2fetc/passwd%0a", "passwd"),
    ],
)
def test_an_address_gives_a_name_without_secrets(url: str, name: str) -> None:
    assert name_from_url(url) == name
