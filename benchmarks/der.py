"""How well the diarizers tell who spoke when: diarization error rate, beside two trivial answers.

    python benchmarks/der.py            a table
    python benchmarks/der.py --json     every recording by itself

Recordings: the AMI excerpts in ../shared/data/diar, the repository's sample, and conversations
made up here of single voices (../shared/data/asr and, where it is installed, flite), drawn from a
fixed seed. DER and JER count overlapped speech; a collar of 250 ms leaves out what lies that close
to a border of the reference. "one speaker" and "random" label the speech that the acoustic engine
finds. Needs pyannote.metrics.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import av
import numpy as np
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate

from services.diarize.engines import NAMES, make
from services.diarize.settings import DiarizeSettings
from services.diarize.vad import speech_regions
from services.runtime.audio import SAMPLE_RATE_HZ, Samples

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "../shared/data"
COLLAR_MS = 250

MADE_UP = 12
MADE_UP_MS = 60_000
FLITE_VOICES = ("awb", "rms", "slt")
FLITE_TEXT = """The quarterly numbers came in slightly above what we had expected. I would rather
wait until the supplier has answered. Could you please send me the drawings by Thursday? She walked
along the river, thinking about the letter that had arrived that morning. No, that is not what I
meant; the old design was heavier. There are seven boxes in the hallway, and nobody knows whose they
are. When the sun goes down, the whole valley turns purple and gold. My brother used to fix bicycles
in a garage behind the station. Let us move on to the budget for the spring. The weather forecast
promised rain for the whole weekend, but the sky stayed clear."""

Stretch = tuple[int, int, str]
"""Start and end in milliseconds, and who speaks."""
System = Callable[[Samples], Sequence[Stretch]]


@dataclass(frozen=True)
class Recording:
    """What is heard, and who truly spoke when."""

    kind: str
    name: str
    samples: Samples
    reference: Sequence[Stretch]


def main() -> None:
    """Score all systems that work here."""
    parser = argparse.ArgumentParser(description="Diarization error rates.")
    parser.add_argument("--json", action="store_true", help="every recording by itself")
    as_json = parser.parse_args().json
    found = systems()
    rows = [
        {"kind": recording.kind, "recording": recording.name, "system": name}
        | scores(recording, system(recording.samples))
        for recording in recordings()
        for name, system in found.items()
    ]
    if as_json:
        print(json.dumps(rows, indent=1))
    else:
        print_table(rows)


def systems() -> Mapping[str, System]:
    """The usable engines and the trivial answers."""
    settings = DiarizeSettings()
    usable = [name for name in NAMES if make(name, settings).usability().usable]
    engines = {name: partial(diarized, name, settings) for name in usable}
    return {**engines, "one speaker": one_speaker, "random": random_speakers}


def diarized(name: str, settings: DiarizeSettings, samples: Samples) -> list[Stretch]:
    """What an engine hears."""
    turns = make(name, settings).diarize(samples, min_speakers=None, max_speakers=None).turns
    return [(turn.start_ms, turn.end_ms, turn.speaker) for turn in turns]


def one_speaker(samples: Samples) -> list[Stretch]:
    """All speech is of one voice."""
    return [(start, end, "A") for start, end in speech_regions(samples)]


def random_speakers(samples: Samples) -> list[Stretch]:
    """Every two seconds of speech one of a few voices, drawn from a fixed seed."""
    rng = np.random.default_rng(1)
    voices = int(rng.integers(2, 5))
    return [
        (at, min(at + 2_000, end), str(rng.integers(voices)))
        for start, end in speech_regions(samples)
        for at in range(start, end, 2_000)
    ]


def scores(recording: Recording, hypothesis: Sequence[Stretch]) -> dict[str, float]:
    """Error rates as shares, and by how many speakers the count is off."""
    duration_s = len(recording.samples) / SAMPLE_RATE_HZ
    uem = Timeline([Segment(0, duration_s)])
    truth, guess = annotation(recording.reference), annotation(hypothesis)
    parts = DiarizationErrorRate()(truth, guess, uem=uem, detailed=True)
    jaccard = JaccardErrorRate()  # type: ignore[no-untyped-call]  # only its constructor has none
    # The library's collar is the width of what is left out, half of it on either side.
    with_collar = DiarizationErrorRate(collar=2 * COLLAR_MS / 1000)(truth, guess, uem=uem)
    return {
        "der": parts["diarization error rate"],
        "missed": parts["missed detection"] / parts["total"],
        "false alarm": parts["false alarm"] / parts["total"],
        "confusion": parts["confusion"] / parts["total"],
        "der with collar": with_collar,
        "jer": jaccard(truth, guess, uem=uem),
        "speakers off by": abs(len(guess.labels()) - len(truth.labels())),
    }


def annotation(stretches: Sequence[Stretch]) -> Annotation:
    """As pyannote.metrics wants it."""
    found = Annotation()
    for track, (start, end, speaker) in enumerate(stretches):
        found[Segment(start / 1000, end / 1000), track] = speaker
    return found


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Means over the recordings of each kind."""
    measures = [key for key in rows[0] if key not in {"kind", "recording", "system"}]
    print(f"{'':24}{'':14}" + "".join(f"{measure:>17}" for measure in measures))
    for kind in dict.fromkeys(row["kind"] for row in rows):
        for name in dict.fromkeys(row["system"] for row in rows):
            own = [row for row in rows if (row["kind"], row["system"]) == (kind, name)]
            means = [np.mean([row[measure] for row in own]) for measure in measures]
            title = f"{kind} ({len(own)})"
            print(f"{title:24}{name:14}" + "".join(f"{mean:17.3f}" for mean in means))


def recordings() -> Iterator[Recording]:
    """Whatever of them is here."""
    sample = ROOT / "samples" / "conversation.flac"
    for kind, paths in (("AMI", sorted((DATA / "diar").glob("*.flac"))), ("sample", [sample])):
        for path in paths:
            yield Recording(kind, path.stem, decoded(path), read_rttm(path.with_suffix(".rttm")))
    voices = single_voices()
    for number in range(MADE_UP if len(voices) > 1 else 0):
        yield made_up(number, voices)


def read_rttm(path: Path) -> list[Stretch]:
    """The SPEAKER lines of a file."""
    stretches = []
    for line in path.read_text("utf-8").splitlines():
        fields = line.split()
        start, length = (round(1000 * float(seconds)) for seconds in fields[3:5])
        stretches.append((start, start + length, fields[7]))
    return stretches


def decoded(path: Path) -> Samples:
    """A recording as the mesh hears it."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        parts = [
            part.to_ndarray()[0]
            for frame in [*container.decode(audio=0), None]
            for part in resampler.resample(frame)
        ]
    samples: Samples = np.concatenate(parts).astype(np.float32) / np.float32(32768)
    return samples


def single_voices() -> dict[str, Samples]:
    """Speech of one voice each, without pauses."""
    recorded: dict[str, list[Samples]] = {}
    for path in sorted((DATA / "asr").glob("*.flac")):
        recorded.setdefault(path.stem.partition("-")[0], []).append(decoded(path))
    for voice in FLITE_VOICES if shutil.which("flite") else ():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            subprocess.run(["flite", "-voice", voice, "-t", FLITE_TEXT, "-o", path], check=True)
            recorded[voice] = [decoded(path)]
    return {voice: without_pauses(np.concatenate(parts)) for voice, parts in recorded.items()}


def without_pauses(samples: Samples) -> Samples:
    """Speech only, at one level."""
    cut = [slice(start * 16, end * 16) for start, end in speech_regions(samples)]
    speech: Samples = np.concatenate([samples[part] for part in cut])
    return speech * np.float32(0.05 / np.sqrt(np.mean(speech**2)))


def made_up(number: int, voices: Mapping[str, Samples]) -> Recording:
    """One to four voices in turn: turns of 0.5 to 10 s, pauses of half a second on average."""
    rng = np.random.default_rng(number)
    names = rng.permutation(sorted(voices))[: 1 + number % min(4, len(voices))].tolist()
    said = {name: np.roll(voices[name], -int(rng.integers(len(voices[name])))) for name in names}
    gains = {name: 10 ** (rng.normal(0, 3) / 20) for name in names}
    samples = np.zeros(MADE_UP_MS * SAMPLE_RATE_HZ // 1000, dtype=np.float32)
    reference: list[Stretch] = []
    at_ms, name = 500, names[0]
    while at_ms < MADE_UP_MS - 1_000:
        length_ms = int(np.clip(rng.lognormal(np.log(2_200), 0.8), 500, 10_000))
        length_ms = min(length_ms, MADE_UP_MS - at_ms, len(said[name]) // 16)
        turn = said[name][: length_ms * 16]
        said[name] = np.roll(said[name], -len(turn))
        samples[at_ms * 16 : at_ms * 16 + len(turn)] = turn * gains[name]
        reference.append((at_ms, at_ms + length_ms, name))
        at_ms += length_ms + int(rng.exponential(500))
        name = str(rng.choice([other for other in names if other != name] or names))
    samples += rng.normal(0, 0.0005, len(samples)).astype(np.float32)
    return Recording("made up", f"{number:02d}: {len(names)} voices", samples, reference)


if __name__ == "__main__":
    main()
