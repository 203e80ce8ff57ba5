"""House styles are what their sources say, and can be changed one rule at a time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from services.runtime.errors import BadInputError
from services.subtitles.cues import build_cues
from services.subtitles.custom_profile import profile_of, read_profile
from services.subtitles.graphemes import cells
from services.subtitles.profiles import BBC, NETFLIX, PROFILES, WEB, Profile
from tests.subtitle_transcripts import any_transcript, said, transcript
from voxmesh_schemas import SubtitleOptions, Transcript


@pytest.mark.parametrize(
    ("name", "cells_", "shortest", "longest", "close"),
    [
        ("web", 42, 833, 7000, 500),
        ("netflix", 42, 833, 7000, 500),
        ("bbc", 37, 900, 7000, 1000),
        ("youtube", 32, 833, 7000, 500),
        ("broadcast-608", 32, 1335, 6000, 500),
    ],
)
def test_the_numbers_of_house_styles(
    name: str, cells_: int, shortest: int, longest: int, close: int
) -> None:
    profile = PROFILES[name]
    found = (profile.line_cells, profile.min_duration_ms, profile.max_duration_ms)
    assert (*found, profile.close_gap_ms) == (cells_, shortest, longest, close)


def test_a_job_can_ask_for_every_profile() -> None:
    literal = SubtitleOptions.model_json_schema()["properties"]["profile"]["enum"]
    assert set(literal) == set(PROFILES)


@pytest.mark.parametrize(
    ("language", "width", "speed"),
    [
        ("ja", 26, 8),
        ("zh-Hant", 32, 18),
        ("ko", 32, 24),
        ("th-TH", 35, 17),
        ("en", 42, 20),
        (None, 42, 20),
    ],
)
def test_scripts_have_widths_and_speeds_of_their_own(
    language: str | None, width: int, speed: float
) -> None:
    profile = NETFLIX.in_language(language)
    assert (profile.line_cells, profile.cells_per_second) == (width, speed)


def test_the_bbc_counts_words_where_there_are_spaces() -> None:
    words = "Unbelievable circumstances notwithstanding."
    (cue,) = build_cues(transcript(said(words, word_ms=300)), BBC)
    assert cue.end_ms == 3 * 60_000 // 180
    assert BBC.in_language("ja").words_per_minute == 0


def test_japanese_lines_hold_thirteen_full_width_characters() -> None:
    cues = build_cues(
        transcript(said("私は昨日とても静かな週末を過ごしました。" * 6, language="ja"))
    )
    assert {max(cells(line) for line in cue.lines) <= 26 for cue in cues} == {True}
    assert max(len(line) for cue in cues for line in cue.lines) == 13


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_a_file_changes_what_it_names(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"mine{suffix}"
    rules = {
        ".toml": 'base = "bbc"\nline_cells = 32\nframes_per_second = "24000/1001"\n',
        ".json": '{"base": "bbc", "line_cells": 32, "frames_per_second": "24000/1001"}',
    }
    file.write_text(rules[suffix])
    profile = profile_of(*read_profile(file))
    assert (profile.name, profile.line_cells, profile.words_per_minute) == ("custom", 32, 180)
    assert profile.frames_per_second == Fraction(24_000, 1001)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("line_cells = 4", "line_cells cannot be 4"),
        ("line_cells = 40.5", "whole number"),
        ('line_cells = "wide"', "has to be a number"),
        ("colour = 1", "has no rule 'colour'"),
        ('base = "cinema"', "no profile 'cinema'"),
        ("min_duration_ms = 8000", "more than its max_duration_ms"),
        ("max_lines = 9", "max_lines cannot be 9"),
        ("= 3", "is no profile"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(BadInputError, match=says):
        read_profile(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot read"):
        read_profile(tmp_path / "none.toml")


RULES: list[dict[str, Any]] = [{}, {"max_lines": 1}, {"max_lines": 3}, {"line_cells": 12}]


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("rules", RULES)
@settings(max_examples=20)
@given(made=any_transcript())
def test_every_profile_holds_for_any_transcript(
    name: str, rules: dict[str, Any], made: Transcript
) -> None:
    """Widths, line counts and longest durations always hold, and so does the order."""
    profile: Profile = profile_of(name, rules)
    cues = build_cues(made, profile)
    for cue in cues:
        assert cue.end_ms - cue.start_ms <= profile.max_duration_ms
        assert len(cue.lines) <= profile.max_lines
        assert all(cells(line) <= profile.line_cells for line in cue.lines)
    assert [cue.start_ms for cue in cues] == sorted(cue.start_ms for cue in cues)


def test_web_is_what_nothing_else_is_asked_for() -> None:
    assert profile_of(SubtitleOptions().profile, {}) == WEB
