"""The command writes captions of a transcript, and checks those of anybody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.__main__ import app
from tests.subtitle_transcripts import said, transcript

MADE = transcript(said("Did you have a quiet weekend? I painted the kitchen.", 3000))
BAD = "1\n00:00:01,000 --> 00:00:01,200\nShe saw the\nkitchen.\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "transcript.json"
    path.write_text(MADE.model_dump_json())
    return path


def _run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["subtitles", *map(str, arguments)])
    return done.exit_code, done.output


def test_it_writes_each_format_into_a_new_folder(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    formats = "vtt,scc,ass,hls,ttml"
    code, told = _run(file, "--format", formats, "--profile", "netflix", "-o", folder)
    assert code == 0
    assert told == f"{folder}: 1 cues, profile netflix: every rule is kept\n"
    assert sorted(path.name for path in folder.iterdir()) == [
        "captions.ass",
        "captions.scc",
        "captions.ttml",
        "captions.vtt",
        "hls",
    ]
    assert (folder / "hls" / "captions.m3u8").exists()


def test_a_file_of_rules_is_a_profile_too(file: Path, tmp_path: Path) -> None:
    rules = tmp_path / "mine.toml"
    rules.write_text('base = "bbc"\nline_cells = 20\n')
    assert _run("write", file, "--format", "vtt", "--profile", rules, "-o", tmp_path)[0] == 0
    lines = (tmp_path / "captions.vtt").read_text().split("STYLE")[1].splitlines()
    shown = [line.removeprefix("<v Anna>") for line in lines if line[:1].isalpha() or "<v" in line]
    assert max(map(len, shown)) <= 20


def test_options_come_before_the_file_as_well(file: Path, tmp_path: Path) -> None:
    assert _run("--format", "srt", "--emotion", "none", file, "-o", tmp_path)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing.json"], "cannot read nothing.json"),
        (["{file}", "--format", "doc"], "holds something that is not of"),
        (["{file}", "--profile", "cinema"], "none of: web, netflix"),
        (["{file}", "--hls-segment", "0.1"], "hls_segment_ms: "),
        (["check", "nothing.vtt"], "cannot read nothing.vtt"),
        (["check", "{file}"], "its format is not known"),
        (["check", "x.vtt", "--frame-rate", "fast"], "frames_per_second has to be a number"),
    ],
)
def test_mistakes_are_told_in_a_sentence(file: Path, arguments: list[str], says: str) -> None:
    code, told = _run(*(argument.format(file=file) for argument in arguments))
    assert code == 2
    assert says in told
    assert told.count("\n") == 1


def test_the_check_tells_each_violation_with_its_time(tmp_path: Path) -> None:
    path = tmp_path / "bad.srt"
    path.write_text(BAD)
    code, told = _run("check", path, "--profile", "netflix", "--language", "en")
    assert code == 1
    assert told.startswith("00:00:01.000      #1  too-short         shown for 0.200 s")
    assert told.endswith("profile netflix: 1 too-short, 1 too-fast, 1 tight-break\n")


def test_programs_read_the_check_as_json(tmp_path: Path) -> None:
    path = tmp_path / "bad.srt"
    path.write_text(BAD)
    code, told = _run("check", path, "--json", "--language", "en")
    found = json.loads(told)
    assert code == 1
    assert found["captions"] == 1
    assert found["counts"] == {"too-short": 1, "too-fast": 1, "tight-break": 1}
    assert [one["start_ms"] for one in found["violations"]] == [1000, 1000, 1000]


def test_good_captions_pass(file: Path, tmp_path: Path) -> None:
    _run(file, "--format", "vtt", "-o", tmp_path)
    code, told = _run("check", tmp_path / "captions.vtt")
    assert code == 0
    assert told.endswith("1 captions, profile web: no violation\n")
