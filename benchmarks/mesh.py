"""What the mesh costs beside the engines themselves, and how soon it has something to show.

    python benchmarks/mesh.py [--json] [--minutes 3] [--repeat 3] [--kafka kafka://host:port]

The mesh tax is the wall time of `voxmesh run` by that of a bare script that calls the same engines
one after another on the same chunks, start-up included in both; they take turns, and medians count.
The script has one process, and so has one of the runs; the other has one per core.

Besides: a second run on the same file, `voxmesh --help`, the time from the start of `voxmesh run`
on an hour of audio to its first chunk, and the time from submitting a short job to its captions
with engines that take none, on a mesh that is up (Redis, which is also what `voxmesh run` is on;
Kafka where --kafka names one). Another load on the machine distorts all of it, and is noted, too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from services.runtime.client import Client

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the tests' recordings, which are no package
SAMPLE = ROOT / "samples" / "conversation.flac"
PLUGIN = ROOT / "tests" / "mesh" / "plugin"
VOXMESH = Path(sys.executable).parent / "voxmesh"
BUNDLED = {
    "transcribe": "pocketsphinx",
    "diarize": "acoustic",
    "emotion-audio": "prosody",
    "emotion-text": "vader",
}
RATE_HZ = 16_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=3.0, help="length of the recording")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each")
    parser.add_argument("--kafka", default="", help="a Kafka to measure latency on")
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        run_bare(options.bare)
        return
    with tempfile.TemporaryDirectory(prefix="vm-") as folder:
        found = measured(Path(folder), options.minutes, options.repeat, options.kafka)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:>28}  {value}")


def measured(folder: Path, minutes: float, repeat: int, kafka: str) -> dict[str, Any]:
    """All numbers by name; seconds unless the name says otherwise."""
    load = os.getloadavg()[0]
    found: dict[str, Any] = {"cores": len(os.sched_getaffinity(0)), "load before": load}
    found["help"] = median(lambda: timed([VOXMESH, "--help"]), 5)
    hour = repeated(folder / "hour.wav", 60)
    found["first chunk of an hour"] = median(lambda: first_chunk(hour), repeat)
    found |= tax(repeated(folder / "talk.wav", minutes), repeat)
    found |= latencies(folder, repeat, kafka)
    return found | {"load after": os.getloadavg()[0]}


def tax(recording: Path, repeat: int) -> dict[str, Any]:
    """Wall times of the bare script and of the mesh, and what they make of each other."""
    times: dict[str, list[float]] = {
        "bare": [],
        "mesh, 1 process": [],
        "mesh": [],
        "mesh again": [],
    }
    for _ in range(repeat):
        times["bare"].append(timed([sys.executable, __file__, "--bare", recording]))
        times["mesh, 1 process"].append(run_mesh(recording, processes=1)[0])
        first, again = run_mesh(recording, processes=0)
        times["mesh"].append(first)
        times["mesh again"].append(again)
    found: dict[str, Any] = {name: statistics.median(walls) for name, walls in times.items()}
    for name in ("mesh, 1 process", "mesh"):
        found[f"{name}, by bare"] = found[name] / found["bare"]
    return found | {"all runs": times}


def run_bare(recording: Path) -> None:
    """The same engines on the same chunks, without a mesh around them."""
    import numpy as np

    from services.diarize.engines import ENGINES as DIARIZERS
    from services.diarize.settings import DiarizeSettings
    from services.emotion.engines import AUDIO, TEXT
    from services.emotion.settings import EmotionSettings
    from services.ingest.recording import open_recording
    from services.transcribe.engines import ENGINES as TRANSCRIBERS
    from services.transcribe.settings import TranscribeSettings

    transcriber = TRANSCRIBERS.make(BUNDLED["transcribe"], TranscribeSettings())
    diarizer = DIARIZERS.make(BUNDLED["diarize"], DiarizeSettings())
    hearing = AUDIO.make(BUNDLED["emotion-audio"], EmotionSettings())
    reading = TEXT.make(BUNDLED["emotion-text"], EmotionSettings())
    with recording.open("rb", buffering=0) as file, open_recording(file, recording.name) as opened:
        for cut in opened.chunks():
            samples = cut.samples.astype(np.float32) / np.float32(32768)
            words = transcriber.transcribe(samples, language=None)
            diarizer.diarize(samples, min_speakers=None, max_speakers=None)
            hearing.detect(samples)
            reading.detect(words)


def run_mesh(recording: Path, *, processes: int) -> tuple[float, float]:
    """Wall times of `voxmesh run`, and of the same again once all results are there."""
    with tempfile.TemporaryDirectory(prefix="vm-") as folder:
        command = [VOXMESH, "run", recording, "-o", Path(folder) / "out", *chosen(BUNDLED)]
        own = {"VOXMESH_PROCESSES": str(processes), "VOXMESH_STATE_DIR": f"{folder}/state"}
        return timed(command, own), timed(command, own)


def first_chunk(recording: Path) -> float:
    """Seconds until `voxmesh run` has stored its first chunk, which it publishes at once."""
    with tempfile.TemporaryDirectory(prefix="vm-") as folder:
        started = time.monotonic()
        process = subprocess.Popen(
            [VOXMESH, "run", recording, "-o", Path(folder) / "out", *chosen(BUNDLED)],
            env=environment({"VOXMESH_STATE_DIR": f"{folder}/state"}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not [*Path(folder).glob("state/store/jobs/*/audio/*.wav")]:
            assert process.poll() is None, "voxmesh run ended before its first chunk"
            time.sleep(0.005)
        spent = time.monotonic() - started
        process.send_signal(signal.SIGINT)
        process.wait()
        return spent


def latencies(folder: Path, repeat: int, kafka: str) -> dict[str, float]:
    """From submitting a job to its captions, by broker; the first job warms the mesh up."""
    found = {}
    with private_server(folder) as redis:
        for name, broker in (("redis", redis), ("kafka", kafka)):
            if broker:
                found[f"latency on {name}"] = latency(folder, broker, redis, repeat)
    return found


@contextmanager
def private_server(folder: Path) -> Iterator[str]:
    """A redis-server on a Unix socket; gives its URL."""
    from services.runtime.embedded import redis_binary

    socket = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    server = subprocess.Popen([redis_binary(), *options], stdout=subprocess.DEVNULL)
    while not socket.exists():
        assert server.poll() is None, "redis-server does not start"
        time.sleep(0.01)
    try:
        yield f"unix://{socket}"
    finally:
        server.terminate()
        server.wait()


def latency(folder: Path, broker: str, redis: str, repeat: int) -> float:
    """Median seconds from submitting a job to having all of its files."""
    prefix = f"bench-{uuid4().hex}."
    store = folder / prefix
    own = {
        "VOXMESH_TOPIC_PREFIX": prefix,
        "VOXMESH_REDIS_URL": redis,
        "VOXMESH_STORE": str(store),
        "VOXMESH_LOG_LEVEL": "warning",
    }
    server = subprocess.Popen([VOXMESH, "serve", "all", "--broker", broker], env=environment(own))
    try:
        return asyncio.run(jobs(folder, broker, prefix, store, repeat))
    finally:
        server.terminate()
        server.wait()


async def jobs(folder: Path, broker: str, prefix: str, store: Path, repeat: int) -> float:
    """Median seconds of several jobs, each on a recording of its own."""
    from services.runtime.artifacts import Artifacts
    from services.runtime.bus import make_bus
    from services.runtime.client import Client
    from services.runtime.settings import MeshSettings
    from tests.mesh.beeps import conversation, write_wav

    bus = make_bus(MeshSettings(broker=broker, topic_prefix=prefix))
    await bus.start()
    try:
        client = Client(bus, Artifacts.at(str(store)))
        walls = []
        for beeps in range(20, 21 + repeat):
            recording = write_wav(folder / f"{beeps}.wav", conversation(beeps))
            walls.append(await one_job(client, recording, folder / "out"))
    finally:
        await bus.stop(0)
    return statistics.median(walls[1:])


async def one_job(client: Client, recording: Path, folder: Path) -> float:
    """Seconds that a job takes whose engines take none."""
    from voxmesh_schemas import JobCompleted, JobFailed, JobOptions, JobRequested, Stage

    options = JobOptions(engines={Stage(stage): ("beeps",) for stage in BUNDLED})
    job_id = uuid4().hex
    async with client.watching() as events:
        started = time.monotonic()
        source = await client.upload(job_id, recording)
        await client.submit(JobRequested(job_id=job_id, source=source, options=options))
        async for event in events:
            assert not isinstance(event, JobFailed), event
            if event.job_id == job_id and isinstance(event, JobCompleted):
                for output in event.outputs:
                    await client.fetch(output, folder)
                return time.monotonic() - started
    raise AssertionError("the events ended before the job")


def repeated(target: Path, minutes: float) -> Path:
    """A WAV file of the sample, repeated to a length."""
    import av
    import numpy as np

    with av.open(str(SAMPLE)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        frames = [p for f in container.decode(audio=0) for p in resampler.resample(f)]
    samples = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
    with wave.open(str(target), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(np.resize(samples, int(minutes * 60 * RATE_HZ)).tobytes())
    return target


def chosen(engines: Mapping[str, str]) -> list[str]:
    """Options that force engines."""
    return [o for stage, name in engines.items() for o in ("--engines", f"{stage}={name}")]


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Of a process that is measured: no hub, and the test engines beside the bundled ones."""
    paths = [str(PLUGIN), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(paths), **own}


def timed(command: list[Any], own: Mapping[str, str] | None = None) -> float:
    """Wall time of a command that must succeed."""
    started = time.monotonic()
    done = subprocess.run(command, env=environment(own or {}), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - started


def median(measure: Callable[[], float], repeat: int) -> float:
    """Of several measurements."""
    return statistics.median(measure() for _ in range(repeat))


if __name__ == "__main__":
    main()
