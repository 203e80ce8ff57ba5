"""NIST's CTM: one word a line, with file, channel, start, duration and maybe a confidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from services.merge.members import Member
from services.merge.voting import VotedWord, vote_all
from services.runtime.errors import BadInputError
from voxmesh_schemas import HypothesisWord

RecordingId = tuple[str, str]
"""File and channel."""

_COMMENT = ";;"
_NO_WORD = "@"
"""Stands for a recording in which nothing was heard."""


def read_ctm(text: str, *, name: str = "the CTM file") -> dict[RecordingId, list[HypothesisWord]]:
    """The words of each recording, in order of start; recordings in order of appearance.

    A line whose word is `@` names a recording without words.

    Raises:
        BadInputError: when a line is not CTM; says which one of which file.
    """
    recordings: dict[RecordingId, list[HypothesisWord]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields or fields[0].startswith(_COMMENT):
            continue
        if len(fields) not in (5, 6, 7, 8):
            raise BadInputError(
                f"line {number} of {name} has {len(fields)} fields; CTM has file, channel, start, "
                "duration, word and maybe a confidence"
            )
        words = recordings.setdefault((fields[0], fields[1]), [])
        if fields[4] != _NO_WORD:
            words.append(_word(fields, f"line {number} of {name}"))
    return {key: sorted(words, key=_start) for key, words in recordings.items()}


def _start(word: HypothesisWord) -> int:
    return word.start_ms


def _word(fields: Sequence[str], where: str) -> HypothesisWord:
    try:
        start, duration = float(fields[2]), float(fields[3])
        given = None if len(fields) < 6 or fields[5] in ("NA", "-") else float(fields[5])
    except ValueError as error:
        raise BadInputError(f"{where} has a time or confidence that is not a number") from error
    if not (0 <= start < float("inf") and 0 <= duration < float("inf")):
        raise BadInputError(f"{where} has a negative or endless time")
    if given is not None and not 0 <= given <= 1:
        raise BadInputError(f"{where} has a confidence that is not between 0 and 1")
    start_ms = round(start * 1000)
    end_ms = max(start_ms, round((start + duration) * 1000))
    return HypothesisWord(text=fields[4], start_ms=start_ms, end_ms=end_ms, confidence=given)


def write_ctm(recordings: Mapping[RecordingId, Iterable[HypothesisWord | VotedWord]]) -> str:
    """A CTM of several recordings; one without words gets a line with `@`.

    A word that holds spaces becomes several lines that share its time.
    """
    return "".join(
        f"{line}\n"
        for (file, channel), words in recordings.items()
        for line in chain(*map(_lines, words)) or [f"0.000 0.000 {_NO_WORD}"]
        for line in [f"{file} {channel} {line}"]
    )
