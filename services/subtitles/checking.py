"""What captions fall short of, whoever made them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from services.subtitles.breaks import Break, break_between
from services.subtitles.function_words import function_words
from services.subtitles.graphemes import cells, is_blank, is_unspaced
from services.subtitles.profiles import Profile
from services.subtitles.rules import Rule
from services.subtitles.timing import reading_ms

_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7a3]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
)
_LABEL = re.compile(r"\s*(?:>>|-\s|[^?!]{1,40}:(?:\s|$))")
"""What says at the beginning of a line that somebody else speaks."""


@dataclass(frozen=True)
class Caption:
    """A caption as a file has it, without markup."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    place: str = ""
    """Where it stands on the screen; captions in different places may be shown together."""
    speaker: str = ""
    """Who speaks, where the format says so."""


@dataclass(frozen=True)
class Violation:
    """One thing that is wrong, where it is, and by how much."""

    rule: Rule
    start_ms: int
    number: int
    """Of the caption in its file, from 1; 0: of none."""
    message: str


@dataclass(frozen=True)
class Reading:
    """What a reader found in a file."""

    captions: tuple[Caption, ...]
    faults: tuple[Violation, ...] = ()
    """What the format itself forbids."""
    language: str | None = None
    """BCP 47 tag that the file names."""
    slack_ms: int = 1
    """How much the format's times are rounded by."""


def violations(reading: Reading, profile: Profile, language: str | None = None) -> list[Violation]:
    """All violations in order of time; `language` overrides what the file says of itself."""
    language = language or reading.language
    found = list(reading.faults)
    for number, caption in enumerate(reading.captions, start=1):
        found += _within(caption, number, profile, language, reading.slack_ms)
    found += _between(reading, profile, language)
    return sorted(found, key=lambda one: (one.start_ms, one.number))


def _within(
    caption: Caption, number: int, profile: Profile, language: str | None, slack_ms: int
) -> Iterator[Violation]:
    text = "\n".join(caption.lines)
    profile = profile.in_language(language or _language_of(text))

    def violation(rule: Rule, message: str) -> Violation:
        return Violation(rule, caption.start_ms, number, message)

    if is_blank(text):
        yield violation(Rule.EMPTY, "it shows nothing")
        return
    if len(caption.lines) > profile.max_lines:
        yield violation(
            Rule.TOO_MANY_LINES, f"{len(caption.lines)} lines, at most {profile.max_lines}"
        )
    for at, line in enumerate(caption.lines, start=1):
        if (width := cells(line)) > profile.line_cells:
            message = f"line {at} is {width} characters wide, at most {profile.line_cells}"
            yield violation(Rule.LINE_TOO_LONG, message)
    shown = caption.end_ms - caption.start_ms
    if shown + slack_ms < profile.min_duration_ms:
        message = f"shown for {_seconds(shown)}, at least {_seconds(profile.min_duration_ms)}"
        yield violation(Rule.TOO_SHORT, message)
    if shown - slack_ms > profile.max_duration_ms:
        message = f"shown for {_seconds(shown)}, at most {_seconds(profile.max_duration_ms)}"
        yield violation(Rule.TOO_LONG, message)
    if shown + slack_ms < (needed := _reading_ms(caption, profile)):
        message = f"shown for {_seconds(shown)}, reading takes {_seconds(needed)}"
        yield violation(Rule.TOO_FAST, message)
    for line, following in pairwise(caption.lines):
        if _is_tight(line, following, language):
            message = f"no line should end after {line.split()[-1]!r}"
            yield violation(Rule.TIGHT_BREAK, message)


def _between(reading: Reading, profile: Profile, language: str | None) -> Iterator[Violation]:
    numbered = list(enumerate(reading.captions, start=1))
    for (_, before), (number, caption) in pairwise(numbered):
        if caption.start_ms < before.start_ms:
            message = "it begins before the one ahead of it in the file"
            yield Violation(Rule.OUT_OF_ORDER, caption.start_ms, number, message)
    numbered.sort(key=lambda one: one[1].start_ms)
    shown: list[Caption] = []
    for number, caption in numbered:
        still = [one for one in shown if one.end_ms > caption.start_ms]
        if any(one.place == caption.place for one in still):
            message = "it begins before another one in its place has gone"
            yield Violation(Rule.OVERLAP, caption.start_ms, number, message)
        elif shown and not still:
            last = max(shown, key=lambda one: one.end_ms)
            gap = caption.start_ms - last.end_ms
            yield from _gap(gap, caption, number, profile, reading.slack_ms)
            goes_on = gap < profile.close_gap_ms and not _is_other_speaker(last, caption)
            if goes_on and _is_tight(last.lines[-1], caption.lines[0], language):
                message = f"no caption should end after {last.lines[-1].split()[-1]!r}"
                yield Violation(Rule.TIGHT_BREAK, caption.start_ms, number, message)
        shown = [*still, caption] if still else [caption]


def _gap(
    gap_ms: int, caption: Caption, number: int, profile: Profile, slack_ms: int
) -> Iterator[Violation]:
    if gap_ms + slack_ms < profile.gap_ms:
        message = f"{gap_ms} ms after the one before, at least {profile.gap_ms} ms"
        yield Violation(Rule.NO_GAP, caption.start_ms, number, message)
    elif profile.gap_ms + slack_ms < gap_ms < profile.close_gap_ms - slack_ms:
        message = f"a gap of {gap_ms} ms flickers: close it to {profile.gap_ms} ms"
        yield Violation(Rule.OPEN_GAP, caption.start_ms, number, message)


def _reading_ms(caption: Caption, profile: Profile) -> int:
    text = " ".join(caption.lines)
    words = np.array([len(text.split())], dtype=np.int64)
    return int(reading_ms(np.array([cells(text)], dtype=np.int64), words, profile)[0])


def _is_other_speaker(before: Caption, caption: Caption) -> bool:
    is_labelled = _LABEL.match(caption.lines[0]) is not None
    return is_labelled or before.speaker != caption.speaker


def _is_tight(line: str, following: str, language: str | None) -> bool:
    left, right = line.split()[-1:], following.split()[:1]
    if not left or not right or is_unspaced(left[0][-1]) or is_unspaced(right[0][0]):
        return False
    kind = break_between(left[0], right[0], function_words(language), spaced=True)
    return kind >= Break.TIGHT


def _language_of(text: str) -> str | None:
    return next((language for language, script in _SCRIPTS if script.search(text)), None)


def _seconds(time_ms: int) -> str:
    return f"{time_ms / 1000:.3f} s"
