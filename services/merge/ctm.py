"""NIST's CTM: one word a line, with file, channel, start, duration and maybe a confidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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

    A line whose word is `@` names a recording without words; a confidence below 0, as NIST's
    rover writes it, is none.

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
    if given is not None and not given <= 1:
        raise BadInputError(f"{where} has a confidence above 1")
    start_ms = round(start * 1000)
    end_ms = max(start_ms, round((start + duration) * 1000))
    confidence = None if given is None or given < 0 else given
    return HypothesisWord(text=fields[4], start_ms=start_ms, end_ms=end_ms, confidence=confidence)


def write_ctm(recordings: Mapping[RecordingId, Iterable[HypothesisWord | VotedWord]]) -> str:
    """A CTM of several recordings, in the order given; one without words gets an `@`."""
    lines: list[str] = []
    for (file, channel), words in recordings.items():
        before = len(lines)
        lines += [f"{file} {channel} {line}" for word in words for line in _lines(word)]
        if len(lines) == before:
            lines.append(f"{file} {channel} 0.000 0.000 {_NO_WORD}")
    return "".join(f"{line}\n" for line in lines)


def _lines(word: HypothesisWord | VotedWord) -> list[str]:
    """A word without its recording; one that holds spaces becomes several that share its time."""
    parts = word.text.split()
    if not parts:
        return []
    width = (word.end_ms - word.start_ms) / 1000 / len(parts)
    start = word.start_ms / 1000
    confidence = "" if word.confidence is None else f" {word.confidence:.4f}"
    return [
        f"{start + index * width:.3f} {width:.3f} {part}{confidence}"
        for index, part in enumerate(parts)
    ]


def vote_ctm(hypotheses: Mapping[str, str], weights: Mapping[str, float] | None = None) -> str:
    """The joint CTM of several engines' CTM texts, by engine; see `vote_all`.

    A recording that one text lacks is one that its engine did not hear: it neither votes on it nor
    speaks against what others heard. A recording in which an engine heard nothing has an `@` line.

    Raises:
        BadInputError: when a text is not CTM.
    """
    read = {engine: read_ctm(text, name=engine) for engine, text in hypotheses.items()}
    keys = list(dict.fromkeys(key for recordings in read.values() for key in recordings))
    members = [
        [Member(engine, read[engine][key]) for engine in read if key in read[engine]]
        for key in keys
    ]
    return write_ctm(dict(zip(keys, vote_all(members, weights), strict=True)))
