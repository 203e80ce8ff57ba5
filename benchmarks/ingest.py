"""How fast a recording becomes chunks, beside FFmpeg's own conversion, and in how much memory.

    python benchmarks/ingest.py [--json] [--hours 1] [--long-hours 10] [--repeat 3]

Makes an AAC recording (stereo, 44.1 kHz, 128 kbit/s) by repeating samples/conversation.flac. Ours
decodes, resamples, cuts, encodes each chunk as WAV and writes it to disk, in a process of its own;
FFmpeg writes one WAV file of the same form. Both are timed in turn, start of the process included,
and the best run of each counts. The ratio is FFmpeg's time by ours.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "samples" / "conversation.flac"
RATE_HZ = 44_100


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=1.0, help="length of the timed recording")
    parser.add_argument("--long-hours", type=float, default=10.0, help="second length for memory")
    parser.add_argument("--repeat", type=int, default=3, help="timed runs of each")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--ingest", nargs=2, metavar=("MEDIA", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ingest:
        ingest(Path(options.ingest[0]), Path(options.ingest[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        result = measure(options.hours, options.long_hours, options.repeat, Path(folder))
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:28} {value}")


def ingest(media: Path, folder: Path) -> None:
    """Chunks of a recording, each written to the folder; prints the peak of memory in MB."""
    sys.path.insert(0, str(ROOT))
    from services.ingest.policy import SourcePolicy
    from services.ingest.recording import open_recording
    from services.runtime.audio import encode_wav
    from voxmesh_schemas import Source

    chunks = 0
    policy = SourcePolicy(local_files=True)
    with open_recording(Source(uri=str(media)), policy=policy) as recording:
        for cut in recording.chunks():
            (folder / f"{cut.index:06d}.wav").write_bytes(encode_wav(cut.samples))
            chunks += 1
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"chunks": chunks, "peak_mb": round(peak_kb / 1024, 1)}))


def measure(hours: float, long_hours: float, repeat: int, folder: Path) -> dict[str, Any]:
    """Time against FFmpeg on one length, memory on two."""
    short = make_recording(folder / "short.m4a", hours)
    ours, theirs = [], []
    report: dict[str, Any] = {}
    for _ in range(repeat):
        ours.append(timed(lambda: report.update(run_ingest(short, folder))))
        theirs.append(timed(lambda: run_ffmpeg(short, folder)))
    long_report = run_ingest(lengthened(short, folder, round(long_hours / hours)), folder)
    return {
        "recording_hours": hours,
        "ingest_seconds": round(min(ours), 2),
        "ffmpeg_seconds": round(min(theirs), 2),
        "ratio": round(min(theirs) / min(ours), 2),
        "chunks": report["chunks"],
        "peak_mb": report["peak_mb"],
        "long_hours": long_hours,
        "long_chunks": long_report["chunks"],
        "long_peak_mb": long_report["peak_mb"],
    }


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def run_ingest(media: Path, folder: Path) -> dict[str, Any]:
    """What a process of ours says of itself; its chunks are removed."""
    with tempfile.TemporaryDirectory(dir=folder) as chunks:
        command = [sys.executable, __file__, "--ingest", str(media), chunks]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(answer.stdout))


def run_ffmpeg(media: Path, folder: Path) -> None:
    """The same conversion by FFmpeg, to one file."""
    target = folder / "ffmpeg.wav"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(media)]
    subprocess.run([*command, "-ac", "1", "-ar", "16000", "-f", "wav", str(target)], check=True)
    target.unlink()


def make_recording(path: Path, hours: float) -> Path:
    """An AAC recording of this length."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=RATE_HZ, layout="stereo", bit_rate=128_000)
        position, wanted = 0, round(hours * 3600 * RATE_HZ)
        while position < wanted:
            for frame in sample_frames():
                if position >= wanted:
                    break
                frame.pts, frame.time_base = position, Fraction(1, RATE_HZ)
                position += frame.samples
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def sample_frames() -> Any:  # noqa: ANN401 - an iterator of frames, and av is imported late
    """The sample as frames for the encoder."""
    import av

    resampler = av.AudioResampler("fltp", "stereo", RATE_HZ, frame_size=1024)
    with av.open(str(SAMPLE)) as sample:
        for frame in sample.decode(audio=0):
            for converted in resampler.resample(frame):
                if converted.samples == 1024:
                    yield converted


def lengthened(media: Path, folder: Path, times: int) -> Path:
    """The recording over and over, without encoding it again."""
    target, listing = folder / "long.m4a", folder / "long.txt"
    listing.write_text(f"file '{media}'\n" * times)
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "concat", "-safe", "0"]
    subprocess.run([*command, "-i", str(listing), "-c", "copy", str(target)], check=True)
    return target


if __name__ == "__main__":
    if not shutil.which("ffmpeg"):
        sys.exit("this benchmark compares with ffmpeg; install it (apt-get install -y ffmpeg)")
    main()
