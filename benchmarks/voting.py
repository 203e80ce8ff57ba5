"""Voting against its members and against NIST's rover: word error rates and speed.

    python benchmarks/voting.py [--data FOLDER] [--hours 1 10] [--json]

Accuracy is measured on the outputs of real recognisers in FOLDER (default ../shared/data/rover);
they are only scored here, nothing is fitted to them. Speed is measured on made-up recordings of
three engines. `rover` comes with Debian's `sctk`; where it is missing its column stays empty.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Levenshtein

from services.merge.ctm import RecordingId, read_ctm, write_ctm
from services.merge.voting import Member, vote_all
from services.merge.wording import normal_form
from voxmesh_schemas import HypothesisWord

DATA = Path(__file__).resolve().parents[1] / "../shared/data/rover"
SPACING_MS = 500
ROVER_LIMIT_S = 180
ROVER = next(
    (p for p in (shutil.which("rover"), "/usr/lib/sctk/bin/rover") if p and Path(p).exists()), None
)

Texts = list[list[str]]
"""Words by utterance."""
System = dict[RecordingId, list[HypothesisWord]]


def word_errors(reference: Texts, heard: Texts) -> list[int]:
    """Edit distance of each utterance, on normal forms."""
    return [
        Levenshtein.distance(_forms(right), _forms(words))
        for right, words in zip(reference, heard, strict=True)
    ]


def _forms(words: Iterable[str]) -> list[str]:
    return [part for word in words for part in normal_form(word).split()]


def rate(reference: Texts, heard: Texts) -> float:
    """Word error rate in percent."""
    return 100 * sum(word_errors(reference, heard)) / sum(map(len, map(_forms, reference)))


def interval(reference: Texts, one: Texts, other: Texts) -> tuple[float, float]:
    """95 % bootstrap interval, over utterances, of one's word error rate less the other's."""
    rng = np.random.default_rng(0)
    difference = np.subtract(word_errors(reference, one), word_errors(reference, other))
    words = np.array([len(_forms(right)) for right in reference])
    picks = rng.integers(0, len(words), (1000, len(words)))
    low, high = np.quantile(
        100 * difference[picks].sum(axis=1) / words[picks].sum(axis=1), [0.025, 0.975]
    )
    return float(low), float(high)


def spaced(utterances: Texts) -> System:
    """Words without times as CTM needs them: evenly spaced."""
    return {
        (f"u{index:05d}", "1"): [
            HypothesisWord(text=word, start_ms=at * SPACING_MS, end_ms=(at + 1) * SPACING_MS)
            for at, word in enumerate(words)
        ]
        for index, words in enumerate(utterances)
    }


def rover(systems: Mapping[str, System]) -> tuple[System, float]:
    """What NIST's rover makes of the systems (votes by frequency), and the seconds it takes.

    Its time and memory grow with the square of a recording's length, so it is stopped in time.

    Raises:
        subprocess.TimeoutExpired: after `ROVER_LIMIT_S`.
    """
    with tempfile.TemporaryDirectory() as folder:
        arguments = []
        for name, system in systems.items():
            path = Path(folder, name)
            path.write_text(write_ctm(system))
            arguments += ["-h", str(path), "ctm"]
        out = Path(folder, "rover.ctm")
        began = time.perf_counter()
        subprocess.run(
            [str(ROVER), *arguments, "-o", str(out), "-m", "meth1", "-a", "1", "-c", "0"],
            check=True,
            capture_output=True,
            timeout=ROVER_LIMIT_S,
        )
        return read_ctm(out.read_text()), time.perf_counter() - began


def texts_of(system: System, keys: Iterable[RecordingId]) -> Texts:
    """The words of each recording; none for one that is missing."""
    return [[word.text for word in system.get(key, [])] for key in keys]


def joint(systems: Mapping[str, Texts], weights: Mapping[str, float] | None = None) -> Texts:
    """What voxmesh makes of systems that give text only."""
    members = [
        [Member.from_text(name, " ".join(texts[index])) for name, texts in systems.items()]
        for index in range(len(next(iter(systems.values()))))
    ]
    return [[word.text for word in words] for words in vote_all(members, weights)]


def accuracy(reference: Texts, systems: Mapping[str, Texts]) -> dict[str, dict[str, object]]:
    """Word error rates of members, rover and voxmesh, for all systems and for variants."""
    rng = np.random.default_rng(0)
    everything = sorted({word for texts in systems.values() for words in texts for word in words})
    variants: dict[str, tuple[Mapping[str, Texts], Mapping[str, float] | None]] = {
        "all": (systems, None),
        "all, wrong starting weights": (systems, _upside_down(reference, systems)),
    }
    for name, texts in systems.items():
        noise = [rng.choice(everything, len(words)).tolist() for words in texts]
        variants[f"{name} is random words"] = ({**systems, name: noise}, None)
        mixed = [texts[index] for index in rng.permutation(len(texts))]
        variants[f"{name} is other utterances"] = ({**systems, name: mixed}, None)
    for size in (3, 2):
        for names in combinations(systems, size):
            variants[" + ".join(names)] = ({name: systems[name] for name in names}, None)
    return {name: _scored(reference, *variant) for name, variant in variants.items()}


def _upside_down(reference: Texts, systems: Mapping[str, Texts]) -> dict[str, float]:
    """Starting weights that trust the worst system most."""
    worst_first = sorted(systems, key=lambda name: -rate(reference, systems[name]))
    return {name: 10.0 / 10**place for place, name in enumerate(worst_first)}


def _scored(
    reference: Texts, systems: Mapping[str, Texts], weights: Mapping[str, float] | None
) -> dict[str, object]:
    ours = joint(systems, weights)
    rates = {name: rate(reference, texts) for name, texts in systems.items()}
    best = min(rates, key=rates.__getitem__)
    row: dict[str, object] = {
        "members": rates,
        "voxmesh": rate(reference, ours),
        "less_best_member_95": interval(reference, ours, systems[best]),
    }
    if ROVER:
        theirs, _ = rover({name: spaced(texts) for name, texts in systems.items()})
        row["rover"] = rate(reference, texts_of(theirs, spaced(reference)))
    return row


def nist_example(data: Path) -> dict[str, object]:
    """NIST's own three small CTM files, with their times."""
    systems = {
        name: read_ctm((data / f"{name}.ctm").read_text()) for name in ("sys1", "sys2", "sys3")
    }
    truth = read_ctm((data / "ref.ctm").read_text())
    reference = texts_of(truth, truth)
    members = [
        [Member(name, system.get(key, [])) for name, system in systems.items()] for key in truth
    ]
    ours = [[word.text for word in words] for words in vote_all(members)]
    row: dict[str, object] = {
        "members": {n: rate(reference, texts_of(s, truth)) for n, s in systems.items()},
        "voxmesh": rate(reference, ours),
    }
    if ROVER:
        row["rover"] = rate(reference, texts_of(rover(systems)[0], truth))
    return row


def made_up(hours: float) -> dict[str, System]:
    """Three engines' words for one recording, with the errors and uneven times of recognisers."""
    rng = np.random.default_rng(0)
    vocabulary = np.array(
        ["".join(rng.choice(list("abcdefghilmnoprstu"), n)) for n in rng.integers(2, 9, 8000)]
    )
    odds = 1 / (np.arange(len(vocabulary)) + 5)
    size = round(hours * 10_000)
    truth = rng.choice(vocabulary, size, p=odds / odds.sum())
    starts = np.cumsum(rng.choice([250, 300, 350, 540], size))
    return {
        f"engine-{n}": {("recording", "1"): _heard(truth, starts, share, vocabulary, rng)}
        for n, share in enumerate((0.08, 0.15, 0.2))
    }


def _heard(
    truth: np.ndarray,
    starts: np.ndarray,
    share: float,
    vocabulary: np.ndarray,
    rng: np.random.Generator,
) -> list[HypothesisWord]:
    missed = rng.random(len(truth)) < 0.3 * share
    wrong = rng.random(len(truth)) < 0.6 * share
    words = np.where(wrong, rng.choice(vocabulary, len(truth)), truth)
    moved = np.maximum.accumulate(np.maximum(0, starts + rng.integers(-100, 101, len(truth))))
    return [
        HypothesisWord(text=str(word), start_ms=int(start), end_ms=int(start) + 200)
        for word, start in zip(words[~missed], moved[~missed], strict=True)
    ]


def _vote_speed(hours: float) -> tuple[float, float]:
    """Seconds of one vote and the most memory its process held, in MB."""
    members = [Member(name, s["recording", "1"]) for name, s in made_up(hours).items()]
    began = time.perf_counter()
    vote_all([members])
    seconds = time.perf_counter() - began
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def speed(hours: Iterable[float]) -> dict[str, dict[str, object]]:
    """Seconds for three engines on recordings of each length, each in a process of its own."""
    rows: dict[str, dict[str, object]] = {}
    for length in hours:
        seconds, megabytes = _apart(_vote_speed, length)
        rows[f"{length:g} h"] = {"voxmesh_s": seconds, "voxmesh_mb": megabytes}
        if ROVER:
            rows[f"{length:g} h"]["rover_s"] = _rover_speed(length)
    return rows


def _rover_speed(hours: float) -> float | str:
    try:
        return rover(made_up(hours))[1]
    except subprocess.TimeoutExpired:
        return f"stopped after {ROVER_LIMIT_S}"


def _apart(
    function: Callable[[float], tuple[float, float]], argument: float
) -> tuple[float, float]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, argument).result()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--hours", type=float, nargs="*", default=[1, 10])
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    report: dict[str, Mapping[str, Mapping[str, object]]] = {"speed": speed(arguments.hours)}
    if arguments.data.exists():
        utterances = json.loads((arguments.data / "librispeech-four-systems.json").read_text())
        names = [name for name in utterances[0] if name not in ("id", "ref")]
        systems = {name: [(u[name] or "").split() for u in utterances] for name in names}
        report["four systems"] = accuracy([u["ref"].split() for u in utterances], systems)
        report["nist example"] = {"sys1-3": nist_example(arguments.data)}
    if arguments.json:
        print(json.dumps(report, indent=1))
        return
    for title, rows in report.items():
        print(f"\n{title}")
        for name, row in rows.items():
            print(f"  {name:28}", "  ".join(f"{key} {_shown(value)}" for key, value in row.items()))


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{key} {_shown(own)}" for key, own in value.items()) + ")"
    if isinstance(value, tuple):
        return "[" + " ".join(f"{own:+.2f}" for own in value) + "]"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
