"""A merged transcript becomes the files that its job asked for, in the style it asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.runtime.artifacts import Artifacts
from services.runtime.errors import BadInputError, TransientError
from services.subtitles.handler import SubtitlesHandler, on_failure
from tests.subtitle_transcripts import feeling, said, transcript
from voxmesh_schemas import (
    Emotion,
    Event,
    JobCompleted,
    JobFailed,
    JobOptions,
    OutputFormat,
    Stage,
    SubtitleOptions,
    SubtitlesRendered,
    Transcript,
    TranscriptMerged,
)

ENGLISH = transcript(said("Go away!", 2000, emotion=feeling(Emotion.ANGRY, 0.9)))
JAPANESE = transcript(said("日本語の字幕です", 2000, language="ja"))


async def _events(folder: Path, made: Transcript, **options: Any) -> tuple[list[Event], Artifacts]:
    artifacts = Artifacts.at(str(folder))
    ref = await artifacts.put("t.json", made.model_dump_json().encode(), "application/json")
    wanted = JobOptions.model_validate(options, strict=False)
    merged = TranscriptMerged(job_id="job-1", artifact=ref, options=wanted, engines=())
    handler = SubtitlesHandler(artifacts)
    return [event async for event in handler.on_transcript_merged(merged)], artifacts


async def test_every_format_is_rendered_and_the_job_completed(tmp_path: Path) -> None:
    events, _ = await _events(tmp_path, ENGLISH, formats=tuple(OutputFormat))
    *rendered, completed = events
    assert [e.format for e in rendered if isinstance(e, SubtitlesRendered)] == list(OutputFormat)
    assert isinstance(completed, JobCompleted)
    assert len(completed.outputs) == len(OutputFormat)
    assert completed.warnings == ()


async def test_the_options_of_the_job_are_those_of_its_captions(tmp_path: Path) -> None:
    style = {"profile": "bbc", "rules": {"line_cells": 10}, "emotion": "style"}
    events, artifacts = await _events(tmp_path, ENGLISH, formats=("vtt",), subtitles=style)
    assert isinstance(events[0], SubtitlesRendered)
    text = (await artifacts.get(events[0].artifact)).decode()
    assert text.endswith("<v Anna><c.angry.strong>Go away!</c>\n")


async def test_a_format_that_cannot_hold_the_words_is_a_warning(tmp_path: Path) -> None:
    events, _ = await _events(tmp_path, JAPANESE, formats=("scc", "vtt"))
    rendered, completed = events
    assert isinstance(rendered, SubtitlesRendered)
    assert isinstance(completed, JobCompleted)
    assert [output.format for output in completed.outputs] == [OutputFormat.VTT]
    (notice,) = completed.warnings
    assert notice.code == "lost-format"
    assert "no scc: SCC has no letters" in notice.message


async def test_a_job_of_which_no_format_is_left_fails(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="SCC has no letters"):
        await _events(tmp_path, JAPANESE, formats=("scc",))


async def test_rules_that_make_no_sense_fail_the_job(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="has no rule 'colour'"):
        await _events(tmp_path, ENGLISH, subtitles={"rules": {"colour": 1}})


def test_who_is_at_fault_is_said() -> None:
    event = JobFailed(job_id="job-1", stage=Stage.SUBTITLES, reason="")
    for error, is_bad_input in ((BadInputError("no"), True), (TransientError("no"), False)):
        (failed,) = on_failure(event, error)
        assert isinstance(failed, JobFailed)
        assert failed.bad_input is is_bad_input


def test_nothing_asked_for_is_the_web_profile_with_notes_and_styles() -> None:
    assert JobOptions().subtitles == SubtitleOptions()
    assert JobOptions().formats == ("vtt", "srt", "json", "md")
