"""Whatever goes wrong ends in one sentence and the right exit code, and spoils nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import av
import numpy as np
import pytest

from tests.command import Command, with_engines
from tests.conftest import without
from tests.mesh.beeps import conversation, write_wav

SUCCESS, FAILURE, BAD_INPUT, WITH_WARNINGS, INTERRUPTED = 0, 1, 2, 3, 130
BROKEN = Path(__file__).resolve().parents[2] / "../shared/data/formats/broken"
WITHIN_S = 60


def missing(folder: Path) -> Path:
    return folder / "nowhere.wav"


def a_folder(folder: Path) -> Path:
    (folder / "recordings").mkdir()
    return folder / "recordings"


def a_text(folder: Path) -> Path:
    (folder / "letter.mp4").write_text("Dear Sir or Madam,\n" * 50)
    return folder / "letter.mp4"


def nothing(folder: Path) -> Path:
    (folder / "nothing.mp3").touch()
    return folder / "nothing.mp3"


def no_samples(folder: Path) -> Path:
    return write_empty(folder / "no-samples.wav")


def write_empty(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
    return path


def only_pictures(folder: Path) -> Path:
    path = folder / "silent-film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height = 64, 48
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


NO_RECORDINGS: dict[Callable[[Path], Path], str] = {
    missing: "nowhere.wav does not exist",
    a_folder: "recordings is a folder",
    a_text: "letter.mp4",
    nothing: "nothing.mp3",
    no_samples: "no-samples.wav",
    only_pictures: "no audio",
}
"""Each with what it is to be told."""


def told(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What a person reads: sentences, and never a traceback or a log record."""
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    assert '"level"' not in said, said
    return said.splitlines()


def nothing_left(voxmesh: Command) -> None:
    """No state of a run, and no job in the store."""
    state = [p for p in voxmesh.state.rglob("*") if p.is_file() and "results" not in p.parts]
    assert not state
    assert not [*(voxmesh.state / "runs").glob("*")]


class TestSources:
    """A source that cannot be captioned is refused, and the others are captioned."""

    def test_what_is_no_recording(self, voxmesh: Command, tmp_path: Path, talk: Path) -> None:
        sources = [make(tmp_path) for make in NO_RECORDINGS]
        done = voxmesh("run", *sources, talk, "-o", "out", *with_engines())
        assert done.returncode == BAD_INPUT, done.stderr
        said = " ".join(" ".join(told(done)).split())
        for source, sentence in zip(sources, NO_RECORDINGS.values(), strict=True):
            assert f"{source.name}: failed: " in said
            assert sentence in said
        assert [p.name for p in (tmp_path / "out").iterdir()] == ["talk.wav"]
        assert len([*(tmp_path / "out" / "talk.wav").iterdir()]) == 4
        nothing_left(voxmesh)

    @pytest.mark.skipif(not BROKEN.is_dir(), reason="no ../shared/data")
    def test_damaged_files_are_refused_or_captioned_with_what_they_hold(
        self, voxmesh: Command, tmp_path: Path
    ) -> None:
        sources = sorted(BROKEN.glob("*.wav"))
        done = voxmesh("run", *sources, "-o", "out", "--json", *with_engines())
        jobs = json.loads(done.stdout)["jobs"]
        told(done)
        assert sorted(job["source"] for job in jobs) == [source.name for source in sources]
        for job in jobs:
            assert job["status"] != "failed" or (job["bad_input"] and job["reason"])
        assert done.returncode in {BAD_INPUT, WITH_WARNINGS}
        nothing_left(voxmesh)

    def test_silence_is_captioned_as_such(self, voxmesh: Command, tmp_path: Path) -> None:
        silence = write_wav(tmp_path / "silence.wav", [], length_ms=2_000)
        done = voxmesh("run", silence, "-o", "out", *with_engines())
        assert done.returncode == WITH_WARNINGS
        assert any("No speech" in line for line in told(done))
        assert (tmp_path / "out" / "captions.vtt").read_text().startswith("WEBVTT")
        nothing_left(voxmesh)

    def test_an_address_where_nobody_answers(self, voxmesh: Command, tmp_path: Path) -> None:
        with socket.socket() as unheard:
            unheard.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unheard.getsockname()[1]}/talk.mp3"
            done = voxmesh("run", url, "-o", "out", *with_engines(), VOXMESH_BACKOFF_S="0.01")
        assert done.returncode == FAILURE, done.stderr
        assert any("127.0.0.1" in line and "failed" in line for line in told(done))
        assert not [*(tmp_path / "out").iterdir()]
        nothing_left(voxmesh)

    def test_an_address_that_is_private(self, voxmesh: Command, tmp_path: Path) -> None:
        with refusing(403) as url:
            done = voxmesh("run", f"{url}/talk.mp3?token=secret", "-o", "out", *with_engines())
        assert done.returncode == BAD_INPUT, done.stderr
        assert any("127.0.0.1" in line and "failed" in line for line in told(done))
        assert not [*(tmp_path / "out").iterdir()]
        nothing_left(voxmesh)


@contextmanager
def refusing(status: int) -> Iterator[str]:
    """A web server that answers everything with one status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815 -- the base's word

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's word
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class TestOptions:
    """Options that make no sense are refused before anything starts."""

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            (["--min-speakers", "3", "--max-speakers", "2"], "min_speakers 3 is more than"),
            (["--format", "vtt,docx"], "docx"),
            (["--engines", "listen=well"], "not STAGE=NAME"),
            (["--engines", "transcribe=none"], "cannot combine"),
            (["--engines", "diarize=beeps", "--engines", "diarize=none"], "twice"),
            (["--engines", "transcribe="], "names no engine"),
            (["--max-speakers", "0"], "--max-speakers"),
        ],
    )
    def test_contradictions(
        self, voxmesh: Command, talk: Path, tmp_path: Path, options: list[str], sentence: str
    ) -> None:
        done = voxmesh("run", talk, "-o", "out", *options)
        assert done.returncode == BAD_INPUT
        assert any(sentence in line for line in told(done))
        assert not (tmp_path / "out").exists()
        assert not voxmesh.state.exists()

    def test_an_engine_that_cannot_be_used(self, voxmesh: Command, talk: Path) -> None:
        done = voxmesh("run", talk, "-o", "out", *with_engines(transcribe="beeps-unusable"))
        assert done.returncode == BAD_INPUT
        said = " ".join(" ".join(told(done)).split())
        assert "the transcribe engine beeps-unusable cannot be used" in said
        assert "Switch it on." in said
        nothing_left(voxmesh)

    def test_a_broker_that_is_none(self, voxmesh: Command, talk: Path) -> None:
        for command in (["serve", "all"], ["submit", talk]):
            done = voxmesh(*command, "--broker", "amqp://here")
            assert done.returncode == FAILURE
            assert any("is no broker" in line for line in told(done))

    @pytest.mark.parametrize("scheme", ["kafka", "redis"])
    def test_a_broker_that_does_not_answer(self, voxmesh: Command, talk: Path, scheme: str) -> None:
        done = voxmesh("submit", talk, "--broker", f"{scheme}://127.0.0.1:1", "-o", "out")
        assert done.returncode == FAILURE
        (line,) = told(done)
        assert "answers" in line

    def test_a_service_that_is_none(self, voxmesh: Command) -> None:
        done = voxmesh("serve", "listen", "--broker", "redis://127.0.0.1:1")
        assert done.returncode == BAD_INPUT
        assert told(done) == [
            "voxmesh: no service is called 'listen'; there are: "
            "all, ingest, transcribe, diarize, emotion, merge, subtitles"
        ]


class TestDisks:
    """A folder that cannot be written is a sentence, and a full disk costs nothing but time."""

    def test_an_output_folder_that_is_a_file(self, voxmesh: Command, talk: Path) -> None:
        (talk.parent / "out").touch()
        done = voxmesh("run", talk, "-o", "out", *with_engines())
        assert done.returncode == BAD_INPUT
        (line,) = told(done)
        assert "cannot write captions to out" in line

    def test_an_output_folder_that_may_not_be_written(self, voxmesh: Command, talk: Path) -> None:
        done = voxmesh("run", talk, "-o", "/proc/captions", *with_engines())
        assert done.returncode == BAD_INPUT
        (line,) = told(done)
        assert "cannot write captions to /proc/captions" in line

    def test_a_state_folder_that_may_not_be_written(self, voxmesh: Command, talk: Path) -> None:
        done = voxmesh("run", talk, "-o", "out", "--state-dir", "/proc/state", *with_engines())
        assert done.returncode == FAILURE
        (line,) = told(done)
        assert "/proc/state" in line

    def test_a_full_disk_for_the_captions(
        self, voxmesh: Command, talk: Path, tmp_path: Path
    ) -> None:
        with small_disk(tmp_path / "disk", kib=16) as disk:
            (disk / "fill").write_bytes(b"0" * 8192)
            done = voxmesh("run", talk, "-o", disk, *with_engines())
            assert done.returncode == FAILURE
            (line,) = [line for line in told(done) if line.startswith("voxmesh:")]
            assert "No space left" in line
            assert not [*disk.glob(".*")]
            (disk / "fill").unlink()
        again = voxmesh("run", talk, "-o", "out", *with_engines())
        assert again.returncode == SUCCESS, again.stderr
        nothing_left(voxmesh)

    def test_a_full_disk_for_the_state(self, voxmesh: Command, talk: Path, tmp_path: Path) -> None:
        with small_disk(tmp_path / "disk", kib=64) as disk:
            command = ["run", talk, "-o", "out", "--state-dir", disk / "state", *with_engines()]
            done = voxmesh(*command, VOXMESH_ATTEMPTS="2", VOXMESH_BACKOFF_S="0.01")
            assert done.returncode == FAILURE
            assert any("pace" in line for line in told(done))  # "no space", "disk space"
            subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
            again = voxmesh(*command)
            assert again.returncode == SUCCESS, again.stderr


@contextmanager
def small_disk(folder: Path, *, kib: int) -> Iterator[Path]:
    """A disk of so many KiB."""
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", folder]
    if os.geteuid() or subprocess.run(mounting, capture_output=True).returncode:
        without("a small disk can only be mounted by root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


class TestInterruptions:
    """A run that is cut off goes on when the same command is given again."""

    def test_ctrl_c_ends_it_with_a_sentence_and_the_same_command_goes_on(
        self, voxmesh: Command, long_talk: Path
    ) -> None:
        process = self._in_the_middle(voxmesh, long_talk, delay_s=30)
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        said, errors = process.communicate(timeout=WITHIN_S)
        assert time.monotonic() - asked < 10
        assert process.returncode == INTERRUPTED
        assert errors.strip() == (
            "voxmesh: interrupted; the same command goes on where this one stopped"
        )
        assert "Traceback" not in said
        assert not voxmesh.left_running()
        self._goes_on(voxmesh, long_talk)

    def test_ctrl_c_while_a_long_recording_is_decoded(
        self, voxmesh: Command, tmp_path: Path
    ) -> None:
        hour = write_wav(tmp_path / "hour.wav", [], length_ms=3_600_000)
        process = voxmesh.start("run", hour, "-o", "out", *with_engines())
        deadline = time.monotonic() + WITHIN_S
        while not [*voxmesh.state.glob("store/jobs/*/audio/*.wav")]:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=WITHIN_S)
        assert process.returncode == INTERRUPTED
        assert "Traceback" not in errors
        assert not voxmesh.left_running()

    def test_a_killed_run_goes_on(self, voxmesh: Command, long_talk: Path) -> None:
        process = self._in_the_middle(voxmesh, long_talk, delay_s=30)
        process.kill()
        process.communicate()
        until_alone(voxmesh)
        self._goes_on(voxmesh, long_talk)

    def test_a_second_run_of_the_same_says_that_the_first_is_at_it(
        self, voxmesh: Command, long_talk: Path
    ) -> None:
        first = self._in_the_middle(voxmesh, long_talk, delay_s=5)
        second = voxmesh("run", long_talk, "-o", "out", *with_engines(transcribe="beeps-slow"))
        assert second.returncode == FAILURE
        (line,) = told(second)
        assert "another voxmesh" in line
        first.communicate(timeout=WITHIN_S)
        assert first.returncode == SUCCESS

    @pytest.fixture
    def long_talk(self, tmp_path: Path) -> Path:
        return write_wav(tmp_path / "long.wav", conversation(110))

    def _in_the_middle(
        self, voxmesh: Command, recording: Path, *, delay_s: float
    ) -> subprocess.Popen[str]:
        """A run of which some is done and some is not."""
        options = with_engines(transcribe="beeps-slow")
        process = voxmesh.start(
            "run", recording, "-o", "out", *options, VOXMESH_TEST_DELAY_S=str(delay_s)
        )
        deadline = time.monotonic() + WITHIN_S
        while not results(voxmesh):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return process

    def _goes_on(self, voxmesh: Command, recording: Path) -> None:
        before = results(voxmesh)
        assert before
        options = with_engines(transcribe="beeps-slow")
        done = voxmesh("run", recording, "-o", "out", "--json", *options)
        assert done.returncode == SUCCESS, done.stderr
        (job,) = json.loads(done.stdout)["jobs"]
        assert [use["chunks"] for use in job["engines"]] == [4, 4, 4, 4]
        after = results(voxmesh)
        assert {path: after[path] for path in before} == before, "something was computed again"
        nothing_left(voxmesh)


def results(voxmesh: Command) -> dict[Path, int]:
    """What engines have found so far, and when."""
    found = voxmesh.state.glob("store/results/*/*/*.json")
    return {path: path.stat().st_mtime_ns for path in found}


def until_alone(voxmesh: Command) -> None:
    """Return when the children of a killed run have ended: none outlives it."""
    deadline = time.monotonic() + WITHIN_S
    while left := voxmesh.left_running():
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
    # Nobody but the system can clear the folder of its socket.
    for folder in voxmesh.temporary.glob("voxmesh-*"):
        shutil.rmtree(folder)
