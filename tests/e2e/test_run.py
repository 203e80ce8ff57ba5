"""The installed command on a real conversation, with the engines that are always there."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from services.subtitles.render import FILE_NAMES
from tests.command import Command, command, with_engines
from voxmesh_schemas import Transcript
from voxmesh_schemas.plan import ENGINE_STAGES

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
BUNDLED = {
    "transcribe": "pocketsphinx",
    "diarize": "acoustic",
    "emotion-audio": "prosody",
    "emotion-text": "vader",
}
DEFAULT_FILES = {"captions.vtt", "captions.srt", "transcript.json", "transcript.md"}


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[a-z']+", text.lower()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sample")


@pytest.fixture(scope="module")
def summary(folder: Path) -> Any:
    """What `voxmesh run` says of the sample, and leaves in the folder."""
    engines = [o for stage, name in BUNDLED.items() for o in ("-e", f"{stage}={name}")]
    with command(folder) as voxmesh:
        done = voxmesh("run", SAMPLES / "conversation.flac", "-o", "out", "--json", *engines)
        assert done.returncode == 0, done.stderr
        assert not voxmesh.left_running()
    return json.loads(done.stdout)


class TestSample:
    """A dialogue of two people, 73 s long, captioned once for all these tests."""

    def test_the_summary_says_what_was_done(self, summary: dict[str, Any], folder: Path) -> None:
        (job,) = summary["jobs"]
        assert job["status"] == "completed"
        assert job["source"] == "conversation.flac"
        assert job["duration_ms"] == 72_993
        assert {use["stage"]: use["engine"] for use in job["engines"]} == BUNDLED
        assert job["warnings"] == []
        assert {Path(name).name for name in job["files"]} == DEFAULT_FILES
        assert all((folder / name).is_file() for name in job["files"])

    def test_captions_name_both_voices(self, summary: dict[str, Any], folder: Path) -> None:
        captions = (folder / "out" / "captions.vtt").read_text()
        assert captions.startswith("WEBVTT\n")
        assert {"Speaker 1", "Speaker 2"} <= set(re.findall(r"<v(?:\.[\w.-]+)? ([^>]+)>", captions))

    def test_the_transcript_keeps_the_contract(self, summary: dict[str, Any], folder: Path) -> None:
        text = (folder / "out" / "transcript.json").read_text()
        transcript = Transcript.model_validate_json(text)
        assert transcript.job_id == summary["jobs"][0]["job_id"]
        assert transcript.media.duration_ms == 72_993
        starts = [utterance.start_ms for utterance in transcript.utterances]
        assert starts == sorted(starts)

    def test_the_words_are_about_those_that_were_said(
        self, summary: dict[str, Any], folder: Path
    ) -> None:
        reference = json.loads((SAMPLES / "conversation.json").read_text())
        said = words(" ".join(turn["text"] for turn in reference["turns"]))
        transcript = Transcript.model_validate_json(
            (folder / "out" / "transcript.json").read_text()
        )
        heard = words(" ".join(utterance.text for utterance in transcript.utterances))
        # Sane, no more: how good an engine is, is for the benchmarks to say.
        assert (said & heard).total() >= said.total() / 2


def test_two_recordings_get_a_folder_each(voxmesh: Command, talk: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = talk.rename(tmp_path / "other" / talk.name)
    talk.write_bytes(other.read_bytes())
    done = voxmesh("run", talk, other, "-o", "out", *with_engines())
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["talk.wav", "talk.wav-2"]


def test_a_lost_stage_ends_with_warnings(voxmesh: Command, talk: Path) -> None:
    done = voxmesh("run", talk, "-o", "out", *with_engines(diarize="beeps-broken"))
    assert done.returncode == 3
    assert "the device is broken" in re.sub(r"\s+", " ", done.stdout)
    assert "Traceback" not in done.stdout + done.stderr


def test_people_read_what_was_used_and_where_the_files_are(voxmesh: Command, talk: Path) -> None:
    done = voxmesh("run", talk, "-o", "out", "--format", "vtt,srt", *with_engines())
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "2 speakers" in done.stdout
    assert "24 words" in done.stdout
    assert done.stdout.rstrip().endswith("out/captions.srt")
    assert {path.name for path in (talk.parent / "out").iterdir()} == {
        "captions.vtt",
        "captions.srt",
    }


class TestStages:
    """Each stage alone, with its field's own formats."""

    def test_transcribe_writes_ctm(self, voxmesh: Command, talk: Path) -> None:
        done = voxmesh("transcribe", talk, "--engine", "beeps")
        assert done.returncode == 0, done.stderr
        lines = [line.split() for line in done.stdout.splitlines() if not line.startswith(";;")]
        assert len(lines) == 24
        assert {line[0] for line in lines} == {"talk"}
        assert [float(line[2]) for line in lines[:2]] == [0.2, 0.9]

    def test_diarize_writes_rttm(self, voxmesh: Command, talk: Path) -> None:
        done = voxmesh("diarize", talk, "--engine", "beeps", "-o", "talk.rttm")
        assert (done.returncode, done.stdout) == (0, "")
        lines = [line.split() for line in (talk.parent / "talk.rttm").read_text().splitlines()]
        assert {line[0] for line in lines} == {"SPEAKER"}
        assert {line[7] for line in lines} == {"S1", "S2"}

    def test_emotion_writes_windows(self, voxmesh: Command, talk: Path) -> None:
        done = voxmesh("emotion", talk, "--engine", "beeps")
        assert done.returncode == 0, done.stderr
        windows = json.loads(done.stdout)
        assert len(windows) == 24
        assert windows[0]["probabilities"] == {"neutral": 0.9, "happy": 0.1}

    def test_subtitles_of_a_transcript_are_those_of_its_job(
        self, voxmesh: Command, talk: Path
    ) -> None:
        assert voxmesh("run", talk, "-o", "out", *with_engines()).returncode == 0
        out = talk.parent / "out"
        done = voxmesh(
            "subtitles", out / "transcript.json", "-o", "again", "--format", "vtt,srt,md"
        )
        assert done.returncode == 0, done.stderr
        for name in ("captions.vtt", "captions.srt", "transcript.md"):
            assert (talk.parent / "again" / name).read_bytes() == (out / name).read_bytes()

    @pytest.mark.parametrize("stage", ["transcribe", "diarize", "emotion", "subtitles"])
    def test_what_is_not_there_is_a_sentence(self, voxmesh: Command, stage: str) -> None:
        done = voxmesh(stage, "nowhere.wav")
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith("voxmesh: ")
        assert "nowhere.wav" in line


class TestInspection:
    """What the command says about itself."""

    def test_engines_lists_all_with_what_to_do(self, voxmesh: Command) -> None:
        done = voxmesh("engines", "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert list(found) == [stage.value for stage in ENGINE_STAGES]
        usable = {
            stage: {e["name"] for e in listed if e["usable"]} for stage, listed in found.items()
        }
        assert all(BUNDLED[stage] in names and "beeps" in names for stage, names in usable.items())
        unusable = [e for listed in found.values() for e in listed if not e["usable"]]
        assert all(e["reason"] for e in unusable)
        (forced,) = [e for e in found["transcribe"] if e["name"] == "beeps-unusable"]
        assert forced["remedy"] == "Switch it on."

    def test_doctor_finds_this_environment_fit(self, voxmesh: Command) -> None:
        done = voxmesh("doctor", "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        checks = {check["name"]: check for check in found["checks"]}
        assert all(check["fine"] for check in checks.values() if check["needed"])
        assert str(voxmesh.state) in checks["artifact store"]["finding"]
        assert not checks["model hub"]["fine"]

    def test_doctor_says_what_is_broken(self, voxmesh: Command) -> None:
        done = voxmesh("doctor", VOXMESH_STATE_DIR="/proc/state")
        assert done.returncode == 1
        assert "/proc/state" in done.stdout
        assert "Traceback" not in done.stderr

    def test_schema_prints_the_contract(self, voxmesh: Command) -> None:
        names = voxmesh("schema").stdout.split()
        assert {"Transcript", "JobRequested", "asyncapi"} <= set(names)
        assert json.loads(voxmesh("schema", "Transcript").stdout)["title"] == "Transcript"
        assert json.loads(voxmesh("schema", "asyncapi").stdout)["asyncapi"] == "3.0.0"
        unknown = voxmesh("schema", "Nonsense")
        assert unknown.returncode == 2
        assert "there are: " in unknown.stderr


def test_every_format_has_a_file_name_of_its_own() -> None:
    assert len(set(FILE_NAMES.values())) == len(FILE_NAMES)
