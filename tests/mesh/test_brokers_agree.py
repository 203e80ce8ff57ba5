"""Every broker gives the same files, byte for byte, however the services are spread."""

from __future__ import annotations

import socket
import subprocess
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import av
import pytest

from services.cli.mesh_services import NAMES
from services.runtime.embedded import redis_binary
from tests.command import Command, command, files_of, with_engines
from tests.mesh.beeps import conversation, write_wav

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "conversation.flac"
READY_WITHIN_S = 60
TALK = conversation(50)
"""35 s: two chunks."""


@pytest.fixture
def voxmesh(tmp_path: Path) -> Iterator[Command]:
    with command(tmp_path, VOXMESH_TOPIC_PREFIX=f"test-{uuid4().hex}.") as found:
        yield found


@pytest.fixture
def redis_port(tmp_path: Path) -> Iterator[str]:
    """A redis-server on a port of this machine, as others may have it; gives its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen([redis_binary(), *options], stdout=subprocess.DEVNULL)
    try:
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def serving(
    voxmesh: Command, names: Sequence[str], broker: str, **variables: str
) -> Iterator[None]:
    """A process of the mesh, from when it serves until it has stopped in order."""
    process = voxmesh.start("serve", *names, "--broker", broker, **variables)
    try:
        _until_serving(process)
        yield
        process.terminate()
        _, rest = process.communicate(timeout=READY_WITHIN_S)
        assert process.returncode == 0, rest
        assert "Traceback" not in rest
    finally:
        process.kill()
        process.communicate()


def _until_serving(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    deadline = time.monotonic() + READY_WITHIN_S
    told = ""
    while '"serving"' not in told:
        told = process.stderr.readline()
        assert told, "a service ended before it served"
        assert time.monotonic() < deadline


def run(voxmesh: Command, recording: Path, options: Sequence[str] = ()) -> dict[str, str]:
    """What the mesh in one process makes of a recording."""
    done = voxmesh("run", recording, "-o", "run", *options)
    assert done.returncode in {0, 3}, done.stderr
    return files_of(voxmesh.folder / "run")


def submit(
    voxmesh: Command, broker: str, recording: Path, options: Sequence[str] = (), **variables: str
) -> dict[str, str]:
    """What a mesh on a broker makes of it."""
    done = voxmesh(
        "submit", recording, "--broker", broker, "-o", "submitted", *options, **variables
    )
    assert done.returncode in {0, 3}, done.stderr
    return files_of(voxmesh.folder / "submitted")


def elsewhere(voxmesh: Command) -> dict[str, str]:
    """A store without the results of runs before."""
    return {"VOXMESH_STORE": str(voxmesh.folder / "other-store")}


def test_a_mesh_on_redis_gives_the_same_files_as_run(
    voxmesh: Command, tmp_path: Path, redis_port: str
) -> None:
    recording = write_wav(tmp_path / "talk.wav", TALK)
    expected = run(voxmesh, recording, with_engines())
    store = elsewhere(voxmesh)
    with serving(voxmesh, ["all"], redis_port, **store):
        assert submit(voxmesh, redis_port, recording, with_engines(), **store) == expected
    assert not voxmesh.left_running()


def test_so_do_services_in_processes_of_their_own_on_kafka(
    voxmesh: Command, tmp_path: Path, kafka_url: str, redis_port: str
) -> None:
    recording = write_wav(tmp_path / "talk.wav", TALK)
    expected = run(voxmesh, recording, with_engines())
    shared = elsewhere(voxmesh) | {"VOXMESH_REDIS_URL": redis_port}
    with ExitStack() as stack:
        for name in NAMES:
            stack.enter_context(serving(voxmesh, [name], kafka_url, **shared))
        assert submit(voxmesh, kafka_url, recording, with_engines(), **shared) == expected
    assert not voxmesh.left_running()


def test_so_do_the_bundled_engines_on_speech_on_kafka(
    voxmesh: Command, tmp_path: Path, kafka_url: str
) -> None:
    recording = beginning(SAMPLE, tmp_path / "speech.wav", seconds=20)
    expected = run(voxmesh, recording)
    store = elsewhere(voxmesh)
    with serving(voxmesh, ["all"], kafka_url, **store):
        assert submit(voxmesh, kafka_url, recording, **store) == expected


def beginning(recording: Path, target: Path, *, seconds: int) -> Path:
    """The first seconds of a recording of one channel and 16 kHz, as a WAV file."""
    with av.open(str(recording)) as container, wave.open(str(target), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        left = seconds * 16_000
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        for frame in container.decode(audio=0):
            for piece in resampler.resample(frame):
                samples = piece.to_ndarray().reshape(-1)[:left]
                file.writeframes(samples.tobytes())
                left -= len(samples)
            if left <= 0:
                break
    return target
