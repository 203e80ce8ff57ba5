#!/usr/bin/env python3
"""Violations of house styles by our captions and by those of others, and how long writing takes.

The transcripts are the aligned references in a folder, and long ones that are made up here. All are
written as SubRip, read back, and held to each profile by `voxmesh subtitles check`'s own rules: a
violation counts the same whoever made it. Nothing is asserted: a number is for people to judge.

Peers are shown where they are installed (`benchmarks/peers/requirements.txt` says how).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from services.subtitles.captions import Captions
from services.subtitles.checking import violations
from services.subtitles.notes import clock
from services.subtitles.profiles import PROFILES
from services.subtitles.readers.srt import read_srt
from services.subtitles.render import render
from services.subtitles.rules import Rule
from voxmesh_schemas import (
    MediaFacts,
    OutputFormat,
    Plan,
    SubtitleOptions,
    Transcript,
    Utterance,
    Word,
)

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "../shared/data/asr"
PEERS = ROOT / ".cache/peers"
PEER_NAMES = ("whisperx", "whisperx-42x2", "stable-ts")
RULES = (
    Rule.LINE_TOO_LONG,
    Rule.TOO_MANY_LINES,
    Rule.TOO_SHORT,
    Rule.TOO_LONG,
    Rule.TOO_FAST,
    Rule.OVERLAP,
    Rule.NO_GAP,
    Rule.OPEN_GAP,
    Rule.TIGHT_BREAK,
)

SUBJECTS = "I|we|they|the old man|my sister|nobody|Doctor Elena Marsh|the first train|a neighbour"
VERBS = "saw|remembered|never mentioned|walked past|had been waiting for|complained about|painted"
OBJECTS = (
    "the kitchen|a letter from New York|forty two dollars|the terrible parking|every single word"
    "|the house by the river|an enormous dog|what was left of it"
)
TAILS = (
    "||, and then it rained| because of the noise| in the middle of the night"
    "|, which was rather extraordinary, if you ask me| without telling anyone at all"
)


def made_up(words: int, ms_per_letter: int) -> Transcript:
    """Sentences of a small grammar, at an even pace with pauses; the same every time."""
    source = random.Random(7)  # noqa: S311 - no secret
    utterances: list[Utterance] = []
    at_ms = count = 0
    while count < words:
        choice = [source.choice(part.split("|")) for part in (SUBJECTS, VERBS, OBJECTS, TAILS)]
        text = " ".join(choice[:3]) + choice[3] + source.choice("...?!")
        spoken = _spoken((text[0].upper() + text[1:]).split(), at_ms, ms_per_letter)
        utterances.append(spoken)
        count += len(spoken.words)
        at_ms = spoken.end_ms + source.choice((0, 150, 300, 600, 1200, 2500))
    return _transcript(f"made up, {ms_per_letter} ms a letter", utterances)


def _spoken(texts: Sequence[str], start_ms: int, ms_per_letter: int) -> Utterance:
    words = []
    for text in texts:
        end_ms = start_ms + ms_per_letter * (len(text) + 1)
        words.append(Word(text=text, start_ms=start_ms, end_ms=end_ms))
        start_ms = end_ms
    return _utterance(words)


def _utterance(words: Sequence[Word]) -> Utterance:
    return Utterance(
        start_ms=words[0].start_ms,
        end_ms=words[-1].end_ms,
        language="en",
        text=" ".join(word.text for word in words),
        words=tuple(words),
    )


def _transcript(name: str, utterances: Sequence[Utterance]) -> Transcript:
    return Transcript(
        job_id="benchmark",
        created_at="2026-01-01T00:00:00Z",
        media=MediaFacts(name=name, duration_ms=utterances[-1].end_ms),
        plan=Plan(engines=()),
        language="en",
        speakers=(),
        utterances=tuple(utterances),
    )


def aligned(folder: Path) -> Iterator[Transcript]:
    """Recordings of real speech, one after the other, as aligned by force; no punctuation."""
    utterances: list[Utterance] = []
    offset_ms = 0
    for file in sorted(folder.glob("*.words.json")):
        found = json.loads(file.read_text())
        words = [
            Word(
                text=one["t"].partition("(")[0],
                start_ms=offset_ms + round(1000 * one["b"]),
                end_ms=offset_ms + round(1000 * (one["b"] + one["d"])),
            )
            for one in found["w"]
            if not one["t"].startswith(("<", "["))
        ]
        utterances.append(_utterance(words))
        offset_ms = words[-1].end_ms + 3000
    if utterances:
        yield _transcript("LibriVox, aligned", utterances)


def ours(profile: str) -> Callable[[Transcript], str]:
    """Our own, in a profile."""

    def write(transcript: Transcript) -> str:
        options = SubtitleOptions.model_validate({"profile": profile})
        return render(Captions(transcript, options), OutputFormat.SRT).decode()

    return write


def greedy(profile: str) -> Callable[[Transcript], str]:
    """As many words as fit, until a sentence or a pause ends them; from first word to last."""
    limits = PROFILES[profile]

    def is_full(held: Sequence[Word], word: Word) -> bool:
        text = " ".join(one.text for one in (*held, word))
        lines = textwrap.wrap(text, limits.line_cells)
        is_long = word.end_ms - held[0].start_ms > limits.max_duration_ms
        is_ended = held[-1].text[-1] in ".?!" or word.start_ms - held[-1].end_ms > 1000
        return len(lines) > limits.max_lines or is_long or is_ended

    def write(transcript: Transcript) -> str:
        cues: list[list[Word]] = []
        for word in (word for utterance in transcript.utterances for word in utterance.words):
            if not cues or is_full(cues[-1], word):
                cues.append([])
            cues[-1].append(word)
        return "\n".join(_block(number, cue) for number, cue in enumerate(cues, start=1))

    def _block(number: int, cue: Sequence[Word]) -> str:
        text = "\n".join(textwrap.wrap(" ".join(word.text for word in cue), limits.line_cells))
        return f"{number}\n{_stamp(cue[0].start_ms)} --> {_stamp(cue[-1].end_ms)}\n{text}\n"

    return write


def _stamp(time_ms: int) -> str:
    return clock(time_ms, ",")


def by_peer(name: str, transcript: Transcript) -> str | None:
    """What a peer writes; None where it does not work here."""
    segments = [
        {
            "start": utterance.start_ms / 1000,
            "end": utterance.end_ms / 1000,
            "text": utterance.text,
            "words": [
                {"word": w.text, "start": w.start_ms / 1000, "end": w.end_ms / 1000}
                for w in utterance.words
            ],
        }
        for utterance in transcript.utterances
    ]
    done = subprocess.run(
        [
            os.environ.get("VOXMESH_PEERS_PYTHON", sys.executable),
            ROOT / "benchmarks/peers/srt_writers.py",
            name,
        ],
        input=json.dumps(segments),
        env={**os.environ, "PYTHONPATH": str(PEERS)},
        capture_output=True,
        text=True,
    )
    return None if done.returncode else done.stdout


def compare(transcript: Transcript, console: Console) -> None:
    """A table of violations per thousand words, by profile, writer and rule."""
    words = sum(len(utterance.words) for utterance in transcript.utterances)
    table = Table(title=f"{transcript.media.name}: violations per 1,000 of {words:,} words")
    for name in ("profile", "writer", "cues", "lost words", "all", *RULES):
        table.add_column(name, justify="left" if name in {"profile", "writer"} else "right")
    peers = {name: by_peer(name, transcript) for name in PEER_NAMES}
    for profile in PROFILES:
        files = {"voxmesh": ours(profile)(transcript), "greedy": greedy(profile)(transcript)}
        for writer, file in (files | peers).items():
            if file is not None:
                table.add_row(profile, writer, *_counted(file, profile, transcript, words))
        table.add_section()
    console.print(table)
    missing = [name for name, file in peers.items() if file is None]
    if missing:
        console.print(f"not installed here: {', '.join(missing)}")


def _counted(file: str, profile: str, transcript: Transcript, words: int) -> list[str]:
    reading = read_srt(file)
    found = Counter(one.rule for one in violations(reading, PROFILES[profile], "en"))
    said = "".join(word.text for u in transcript.utterances for word in u.words)
    shown = "".join("".join(line.split()) for one in reading.captions for line in one.lines)
    lost = "0" if shown == said else f"{len(said) - len(shown):+} letters"
    per_thousand = [f"{1000 * count / words:.1f}" for count in (found[rule] for rule in RULES)]
    total = f"{1000 * found.total() / words:.1f}"
    return [str(len(reading.captions)), lost, total, *per_thousand]


def race(transcript: Transcript, console: Console) -> None:
    """How long it takes to write every format, one after the other."""
    words = sum(len(utterance.words) for utterance in transcript.utterances)
    hours = transcript.media.duration_ms / 3_600_000
    table = Table(title=f"{hours:.1f} h, {words:,} words, in every format")
    table.add_column("format")
    table.add_column("s", justify="right")
    table.add_column("MB", justify="right")
    begun = time.perf_counter()
    captions = Captions(transcript)
    for form in OutputFormat:
        started = time.perf_counter()
        size = len(render(captions, form))
        table.add_row(form.value, f"{time.perf_counter() - started:.2f}", f"{size / 1e6:.1f}")
    table.add_section()
    table.add_row("all", f"{time.perf_counter() - begun:.2f}")
    console.print(table)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--words", type=int, default=10_000, help="of the made-up transcripts")
    parser.add_argument("--race", type=int, default=85_000, help="words in the race: ten hours")
    options = parser.parse_args()
    console = Console(width=190)
    for transcript in (
        *aligned(options.data),
        made_up(options.words, 65),
        made_up(options.words, 45),
    ):
        compare(transcript, console)
    race(made_up(options.race, 65), console)


if __name__ == "__main__":
    main()
