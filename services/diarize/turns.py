"""From what is said of frames or stretches to the turns of a chunk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from string import ascii_uppercase

import numpy as np

from services.diarize.features import FRAME_MS, Indices, Speech
from voxmesh_schemas import Turn

_BRIDGED_MS = 300
"""A pause that does not end a turn: the definition of NIST's Rich Transcription evaluations."""
_SHORTEST_MS = 250
"""Nobody takes the word from someone for less, and gives it back."""


def local_label(number: int) -> str:
    """Letters for a number from 0: A, B, …, Z, AA, AB, …."""
    label = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, len(ascii_uppercase))
        label = ascii_uppercase[letter] + label
    return label


def named(turns: Iterable[Turn]) -> tuple[tuple[Turn, ...], dict[str, str]]:
    """Turns in order of start, speakers renamed A, B, … in order of first appearance.

    Also the new name for each old one.
    """
    ordered = sorted(turns, key=lambda turn: (turn.start_ms, turn.end_ms, turn.speaker))
    names = {
        speaker: local_label(number)
        for number, speaker in enumerate(dict.fromkeys(turn.speaker for turn in ordered))
    }
    renamed = tuple(turn.model_copy(update={"speaker": names[turn.speaker]}) for turn in ordered)
    return renamed, names


def turns_of_frames(speech: Speech, labels: Indices) -> list[Turn]:
    """Turns of one voice at a time, in order; speakers are the labels, as text."""
    runs: list[Turn] = []
    for region in speech.regions:
        edges = np.flatnonzero(np.diff(labels[region])) + region.start + 1
        for first, last in pairwise([region.start, *edges.tolist(), region.stop]):
            runs.append(
                Turn(
                    start_ms=int(speech.frames[first]) * FRAME_MS,
                    end_ms=int(speech.frames[last - 1] + 1) * FRAME_MS,
                    speaker=str(labels[first]),
                )
            )
    return _bridged(_without_interjections(runs))


def _without_interjections(runs: Sequence[Turn]) -> list[Turn]:
    """Runs too short to be a turn go to the voice that speaks right before, else right after."""
    kept = list(runs)
    for index, run in enumerate(kept):
        before, after = kept[max(0, index - 1) : index], kept[index + 1 : index + 2]
        beside = [
            turn
            for turn in before + after
            if run.start_ms == turn.end_ms or run.end_ms == turn.start_ms
        ]
        if beside and run.duration_ms < _SHORTEST_MS:
            kept[index] = run.model_copy(update={"speaker": beside[0].speaker})
    return kept


def _bridged(runs: Iterable[Turn]) -> list[Turn]:
    turns: list[Turn] = []
    for run in runs:
        last = turns[-1] if turns else None
        if last and last.speaker == run.speaker and run.start_ms - last.end_ms <= _BRIDGED_MS:
            turns[-1] = last.model_copy(update={"end_ms": run.end_ms})
        else:
            turns.append(run)
    return turns
