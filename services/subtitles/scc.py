"""Captions as Scenarist SCC: CEA-608 pop-on captions, two bytes to a frame at 29.97 a second.

A caption is loaded unseen, a word to a frame, and then flipped onto the screen at once. So loading
has to begin as many frames ahead as it has words, and a caption that follows another too quickly
appears late: no word is lost, and none is sent faster than the channel goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from services.runtime.errors import BadInputError
from services.subtitles.captions import Captions
from services.subtitles.cea608 import (
    COLUMNS,
    END_OF_CAPTION,
    ERASE_DISPLAYED,
    ERASE_NON_DISPLAYED,
    RESUME_CAPTION_LOADING,
    ROWS,
    in_cea608,
    is_code,
    row_words,
    with_parity,
)
from services.subtitles.cues import Cue
from services.subtitles.naming import named_lines
from services.subtitles.passages import Labels
from voxmesh_schemas import Transcript

_ROWS_AT_ONCE = 4
_MERGED_MS = 500
"""A second voice that begins so soon after the first appears with it."""
_LEAST_KNOWN = 0.5

Line = tuple[int, list[int]]
"""A frame, and the words that are sent from it on."""


@dataclass(frozen=True)
class Screen:
    """What is on the screen from one caption to the next."""

    start_ms: int
    end_ms: int
    rows: tuple[str, ...]


def to_scc(captions: Captions) -> str:
    """The captions with chevrons before speaker changes.

    Raises:
        BadInputError: when CEA-608 lacks most of the letters.
    """
    _check_script(captions.transcript)
    lines = ["Scenarist_SCC V1.0"]
    close_gap = _frame(captions.profile_608.close_gap_ms)
    for frame, words in _lines(screens(captions), close_gap):
        sent = " ".join(map(with_parity, words))
        lines.append(f"{timecode(frame, drop=captions.options.drop_frame)}\t{sent}")
    return "\n\n".join(lines) + "\n"


def _check_script(transcript: Transcript) -> None:
    found = Counter("".join(utterance.text for utterance in transcript.utterances))
    letters = {char: count for char, count in found.items() if char.isalpha()}
    known = sum(count for char, count in letters.items() if in_cea608(char) != "?")
    if known < _LEAST_KNOWN * sum(letters.values()):
        raise BadInputError(
            "SCC has no letters for most of what was said: CEA-608 knows Latin script alone; "
            "ask for ttml or vtt instead"
        )


def screens(captions: Captions) -> list[Screen]:
    """What is shown from each cue's start on: its rows, below those of cues that still last."""
    profile = captions.profile_608
    named = named_lines(captions.cues(Labels.CHEVRONS), captions.names, Labels.CHEVRONS, profile)
    shown: list[tuple[Cue, list[str]]] = []
    found: list[Screen] = []
    for cue, lines in named:
        rows = [in_cea608(line)[:COLUMNS] for line in lines]
        shown = [one for one in shown if one[0].end_ms > cue.start_ms]
        shown.append((cue, rows))
        while sum(len(rows) for _, rows in shown) > _ROWS_AT_ONCE:
            shown.pop(0)
        start = cue.start_ms
        if found and len(shown) > 1 and start - found[-1].start_ms < _MERGED_MS:
            start = found.pop().start_ms
        end = max(cue.end_ms for cue, _ in shown)
        found.append(Screen(start, end, tuple(row for _, rows in shown for row in rows)))
    return found


def _lines(shown: Iterable[Screen], close_gap: int) -> Iterator[Line]:
    """Lines in order of frame, none of which begins before the one before it is sent.

    A gap of less than `close_gap` frames is closed to two, for it would flicker.
    """
    free = 0  # the first frame that the channel is free in, and the other memory with it
    erase: int | None = None  # when what is on the screen has to go
    for screen in shown:
        words = list(_load(screen.rows))
        wanted, out = _frame(screen.start_ms), _frame(screen.end_ms)
        flip = max(wanted, free + len(words))
        if erase is not None and erase + 2 <= flip:
            flip = max(wanted, free + len(words) + 2)
            if flip - erase < close_gap:
                erase = flip - 2
            yield from _around(words, flip, erase)
        else:
            yield flip - len(words), [*words, END_OF_CAPTION, END_OF_CAPTION]
        free = flip + 2
        # What comes late stays as much longer.
        erase = max(free, out + flip - wanted)
    if erase is not None:
        yield erase, [ERASE_DISPLAYED, ERASE_DISPLAYED]


def _around(words: Sequence[int], flip: int, erase: int) -> Iterator[Line]:
    """Words that end where the caption flips, with the erasure of the last one in between."""
    after = min(len(words), flip - erase - 2)
    if _splits_pair(words, len(words) - after):
        after, erase = after + 1, erase - 1
    before = words[: len(words) - after]
    if before:
        yield erase - len(before), list(before)
    yield erase, [ERASE_DISPLAYED, ERASE_DISPLAYED]
    yield flip - after, [*words[len(before) :], END_OF_CAPTION, END_OF_CAPTION]


def _splits_pair(words: Sequence[int], at: int) -> bool:
    """Whether a code's second sending would come after what is put in at an index."""
    if not 0 < at < len(words) or not is_code(words[at]):
        return False
    run = len(list(takewhile(lambda word: word == words[at], reversed(words[:at]))))
    return run % 2 == 1


def _load(rows: Sequence[str]) -> Iterator[int]:
    yield from (ERASE_NON_DISPLAYED, ERASE_NON_DISPLAYED)
    yield from (RESUME_CAPTION_LOADING, RESUME_CAPTION_LOADING)
    for row, text in enumerate(rows, start=ROWS - len(rows) + 1):
        yield from row_words(text, row)


def _frame(time_ms: int) -> int:
    """The frame nearest to a time, at 30000/1001 a second."""
    return (time_ms * 30 + 500) // 1001


def timecode(frame: int, *, drop: bool) -> str:
    """SMPTE time code of a frame; drop-frame skips two numbers in nine minutes of ten."""
    if drop:
        tens, rest = divmod(frame, 17_982)
        frame += 18 * tens + 2 * max(0, (rest - 2) // 1798)
    seconds, frames = divmod(frame, 30)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if drop else ':'}{frames:02d}"
