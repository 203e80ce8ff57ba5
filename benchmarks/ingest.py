"""How fast a recording becomes chunks, beside FFmpeg's own conversion, and in how much memory.

    python benchmarks/ingest.py [--json] [--hours 1] [--long-hours 10] [--repeat 3]

Makes an AAC recording (stereo, 44.1 kHz, 128 kbit/s) by repeating samples/conversation.flac. Ours
decodes, resamples, cuts, encodes each chunk as WAV and writes it to disk, in a process of its own
and timed without its imports, as a service pays for them once; FFmpeg writes one WAV file of the
same form. They take turns, and the best run of each counts. The ratio is FFmpeg's time by ours.

Memory is the peak of each process. An MP4 keeps its whole index in memory, in FFmpeg as in ours, so
the long recording is also measured in Matroska, which has none to keep.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
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

    chunks, begin = 0, time.perf_counter()
    policy = SourcePolicy(local_files=True)
    with open_recording(Source(uri=str(media)), policy=policy) as recording:
        for cut in recording.chunks():
            (folder / f"{cut.index:06d}.wav").write_bytes(encode_wav(cut.samples))
            chunks += 1
    seconds = time.perf_counter() - begin
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"chunks": chunks, "seconds": seconds, "peak_mb": round(peak_mb)}))


def measure(hours: float, long_hours: float, repeat: int, folder: Path) -> dict[str, Any]:
    """Time against FFmpeg on one length, memory on two."""
    short = make_recording(folder / "short.m4a", hours)
    turns = [(run_ingest(short, folder), run_ffmpeg(short)) for _ in range(repeat)]
    ours = min(turn[0]["seconds"] for turn in turns)
    theirs = min(turn[1]["seconds"] for turn in turns)
    result = {
        "hours": hours,
        "ingest_seconds": round(ours, 2),
        "ffmpeg_seconds": round(theirs, 2),
        "ratio": round(theirs / ours, 2),
        "chunks": turns[0][0]["chunks"],
        "ingest_peak_mb": turns[0][0]["peak_mb"],
        "ffmpeg_peak_mb": turns[0][1]["peak_mb"],
        "long_hours": long_hours,
    }
    for suffix in ("mka", "m4a"):
        media = lengthened(short, folder / f"long.{suffix}", round(long_hours / hours))
        result[f"long_{suffix}_ingest_peak_mb"] = run_ingest(media, folder)["peak_mb"]
        result[f"long_{suffix}_ffmpeg_peak_mb"] = run_ffmpeg(media)["peak_mb"]
    return result


def run_ingest(media: Path, folder: Path) -> dict[str, Any]:
    """What a process of ours says of itself; its chunks are removed."""
    with tempfile.TemporaryDirectory(dir=folder) as chunks:
        command = [sys.executable, __file__, "--ingest", str(media), chunks]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(answer.stdout))


def run_ffmpeg(media: Path) -> dict[str, Any]:
    """The same conversion by FFmpeg, to one file."""
    target = media.with_suffix(".wav")
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(media)]
    command += ["-ac", "1", "-ar", "16000", "-f", "wav", str(target)]
    begin = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "ffmpeg failed"
    target.unlink()
    return {"seconds": seconds, "peak_mb": round(usage.ru_maxrss / 1024)}


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


def lengthened(media: Path, target: Path, times: int) -> Path:
    """The recording over and over, without encoding it again."""
    listing = target.with_suffix(".txt")
    listing.write_text(f"file '{media}'\n" * times)
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "concat", "-safe", "0"]
    subprocess.run([*command, "-i", str(listing), "-c", "copy", str(target)], check=True)
    return target


if __name__ == "__main__":
    if not shutil.which("ffmpeg"):
        sys.exit("this benchmark compares with ffmpeg; install it (apt-get install -y ffmpeg)")
    main()
