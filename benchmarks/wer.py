#!/usr/bin/env python3
"""Word error rate, time error of words and real-time factor of the recognisers that work here.

Reads recordings with references from a folder (`references.json`, and `<recording>.words.json` with
forced alignments where there are any). Nothing is asserted: a number is for people to judge.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import av
import jiwer
import numpy as np
from rich.console import Console
from rich.table import Table

from services.runtime.audio import SAMPLE_RATE_HZ, Samples
from services.runtime.engines import Transcriber
from services.transcribe.engines import NAMES, make
from services.transcribe.settings import TranscribeSettings
from voxmesh_schemas import HypothesisWord

DATA = Path(__file__).resolve().parents[1] / "../shared/data/asr"


@dataclass(frozen=True)
class Score:
    """How one recogniser did on one recording."""

    engine: str
    model: str
    recording: str
    words: int
    errors: int
    audio_s: float
    compute_s: float
    start_errors_ms: tuple[int, ...]
    """Of the words that are right, where their times are known; heard minus reference."""

    @property
    def wer(self) -> float:
        """Errors per word of the reference."""
        return self.errors / self.words


def normalised(text: str) -> list[str]:
    """Lower-case words without punctuation."""
    return re.sub(r"[^\w' ]+", " ", text.lower()).split()


def decode(path: Path) -> Samples:
    """A recording as 16 kHz mono samples."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    pcm = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    samples: Samples = pcm.astype(np.float32) / np.float32(32768)
    return samples


def aligned_words(path: Path) -> list[tuple[str, int]]:
    """Reference words and their starts in milliseconds, from a forced alignment; or none."""
    if not path.is_file():
        return []
    words = json.loads(path.read_text())["w"]
    return [
        (re.sub(r"\(\d+\)$", "", word["t"]), round(1000 * word["b"]))
        for word in words
        if word["t"][0] not in "<["
    ]


def start_errors_ms(
    reference: Sequence[tuple[str, int]], heard: Sequence[HypothesisWord]
) -> Iterator[int]:
    """For each word that is right: its start as heard minus its start in the reference."""
    spoken = [text for text, _ in reference]
    said = [(token, word.start_ms) for word in heard for token in normalised(word.text)[:1]]
    if not spoken or not said:
        return
    alignment = jiwer.process_words(" ".join(spoken), " ".join(token for token, _ in said))
    for part in alignment.alignments[0]:
        if part.type == "equal":
            for offset in range(part.ref_end_idx - part.ref_start_idx):
                at_ms = reference[part.ref_start_idx + offset][1]
                yield said[part.hyp_start_idx + offset][1] - at_ms


def score(engine: Transcriber, recording: Path, text: str, language: str) -> Score:
    """One recogniser on one recording."""
    samples = decode(recording)
    begin_s = time.perf_counter()
    heard = engine.transcribe(samples, language=language)
    compute_s = time.perf_counter() - begin_s
    reference = normalised(text)
    output = jiwer.process_words(
        " ".join(reference), " ".join(normalised(" ".join(word.text for word in heard.words)))
    )
    return Score(
        engine=engine.name,
        model=engine.model,
        recording=recording.stem,
        words=len(reference),
        errors=output.substitutions + output.deletions + output.insertions,
        audio_s=len(samples) / SAMPLE_RATE_HZ,
        compute_s=compute_s,
        start_errors_ms=tuple(
            start_errors_ms(aligned_words(recording.with_suffix(".words.json")), heard.words)
        ),
    )


def overall(scores: Sequence[Score]) -> Score:
    """All recordings of one recogniser as if they were one."""
    return Score(
        engine=scores[0].engine,
        model=scores[0].model,
        recording="overall",
        words=sum(one.words for one in scores),
        errors=sum(one.errors for one in scores),
        audio_s=sum(one.audio_s for one in scores),
        compute_s=sum(one.compute_s for one in scores),
        start_errors_ms=tuple(error for one in scores for error in one.start_errors_ms),
    )


def table(scores: Sequence[Score]) -> Table:
    """Scores for people: RTF is the real-time factor, ± the median of absolute errors."""
    made = Table("engine", "recording")
    for title in ("words", "errors", "WER", "RTF", "start ±ms"):
        made.add_column(title, justify="right")
    for one in scores:
        errors = [abs(error) for error in one.start_errors_ms]
        made.add_row(
            one.engine,
            one.recording,
            str(one.words),
            str(one.errors),
            f"{one.wer:.1%}",
            f"{one.compute_s / one.audio_s:.2f}",
            f"{median(errors):.0f}" if errors else "",
        )
    return made


def usable_engines(console: Console) -> Iterator[Transcriber]:
    """Each recogniser that works here, warmed up; says why one does not."""
    for name in NAMES:
        engine = make(name, TranscribeSettings())
        usability = engine.usability()
        if usability.usable:
            # Loads the model, which is not what is measured.
            engine.transcribe(decode(DATA / "jfk.flac")[: 3 * SAMPLE_RATE_HZ], language="en")
            yield engine
        else:
            console.print(f"{name} is left out: {usability.reason}")


def main() -> None:
    """Score every usable recogniser and print the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"there are no recordings to measure on: {DATA} is missing")
    references = json.loads((DATA / "references.json").read_text())
    scores: list[Score] = []
    for engine in usable_engines(Console(stderr=True)):
        of_engine = [
            score(engine, DATA / name, reference["text"], reference["language"])
            for name, reference in references.items()
        ]
        scores += [*of_engine, overall(of_engine)]
    if arguments.json:
        json.dump([asdict(one) | {"wer": one.wer} for one in scores], sys.stdout, indent=2)
    else:
        Console().print(table(scores))


if __name__ == "__main__":
    main()
