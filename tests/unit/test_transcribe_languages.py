"""Each clip gets its own language, where that is sure."""

from __future__ import annotations

import pytest

from services.transcribe.languages import (
    clip_languages,
    main_language,
    primary_subtag,
    tag_of,
    whisper_code,
)

CLIPS = [(0, 30), (30, 50), (60, 70)]


@pytest.mark.parametrize(
    ("detected", "expected"),
    [
        ([("en", 0.99), ("en", 0.9), ("en", 0.4)], ["en", "en", "en"]),
        ([("en", 0.99), ("de", 0.95), ("en", 0.9)], ["en", "de", "en"]),
        ([("en", 0.99), ("en", 0.9), ("cy", 0.5)], ["en", "en", "en"]),
        ([("en", 0.5), ("de", 0.7), ("de", 0.7)], ["de", "de", "de"]),
    ],
    ids=["one language", "two languages", "a mumble", "the likeliest over all"],
)
def test_a_clip_has_its_own_language_only_when_it_is_sure(
    detected: list[tuple[str, float]], expected: list[str]
) -> None:
    assert clip_languages(CLIPS, detected) == expected


@pytest.mark.parametrize(
    ("codes", "expected"), [(["en", "de", "en"], "en"), (["de", "en", "en"], "de")]
)
def test_the_main_language_is_the_one_of_the_longest_part(codes: list[str], expected: str) -> None:
    assert main_language(CLIPS, codes) == expected


@pytest.mark.parametrize(
    ("tag", "code"),
    [("en", "en"), ("en-US", "en"), ("zh-Hant-TW", "zh"), ("nb", "no"), ("jv", "jw"), ("DE", "de")],
)
def test_tags_become_whispers_codes(tag: str, code: str) -> None:
    assert whisper_code(tag) == code


def test_whispers_codes_become_tags() -> None:
    assert [tag_of(code) for code in ("en", "jw")] == ["en", "jv"]


@pytest.mark.parametrize(("tag", "subtag"), [("en_GB", "en"), ("sr-Latn", "sr"), ("yue", "yue")])
def test_the_primary_subtag_is_the_language_alone(tag: str, subtag: str) -> None:
    assert primary_subtag(tag) == subtag
