"""From a transcript to cues: what is shown, from when to when, and where on the screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from services.subtitles.breaks import Break
from services.subtitles.function_words import function_words
from services.subtitles.graphemes import RIGHT_TO_LEFT_MARK, is_right_to_left
from services.subtitles.passages import Passage, passages, voice_of
from services.subtitles.profiles import WEB, Profile, frame_rate_of
from services.subtitles.segmentation import Segmentation
from services.subtitles.timing import Onsets, Voice, out_time, reading_ms
from services.subtitles.units import Unit, in_order, join, label_units, text_of, word_units
from voxmesh_schemas import Emotion, Transcript


class Rule(StrEnum):
    """The rules that bend where they cannot all hold; the words never do."""

    TOO_SHORT = "too-short"
    TOO_FAST = "too-fast"
    NO_GAP = "no-gap"
    TIGHT_BREAK = "tight-break"


@dataclass(frozen=True)
class Cue:
    """A caption on the screen."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    voice: Voice
    emotion: Emotion | None = None
    """How it is said; none: neutral or unknown."""
    lines_below: int = 0
    """0 at the bottom of the screen; more where it stands above another voice's cue."""
    named: bool = False
    """Whether its first line begins with the speaker's name."""
    bent: tuple[Rule, ...] = ()
    """The rules it could not keep."""

    @property
    def speaker(self) -> str | None:
        """Label of the speaker; none: unknown."""
        return self.voice[1]


@dataclass(frozen=True)
class _Draft:
    """A cue whose times are not settled yet."""

    passage: Passage
    lines: tuple[tuple[Unit, ...], ...]
    start_ms: int
    is_first: bool
    """Whether it begins its passage."""

    @property
    def cells(self) -> int:
        widths = (sum(unit.cells + unit.spaced for unit in line) for line in self.lines)
        return sum(widths) - self.lines[0][0].spaced

    @property
    def spoken_until_ms(self) -> int:
        return self.lines[-1][-1].end_ms

    def has_tight_break(self) -> bool:
        inner = [line[-1].break_after for line in self.lines[:-1]]
        return any(kind >= Break.TIGHT for kind in [*inner, self.lines[-1][-1].break_after])


def build_cues(
    transcript: Transcript, profile: Profile = WEB, *, named: bool = False
) -> tuple[Cue, ...]:
    """The cues of a transcript in order of start; every visible word is in one of them.

    Cues of one voice never overlap and their starts rise; cues of different voices may overlap, and
    then stand above each other. `named` puts names before speaker changes, for formats that cannot
    say otherwise who speaks. The recording's own frame rate overrides the profile's.
    """
    if transcript.media.frame_rate is not None:
        rate = frame_rate_of(transcript.media.frame_rate)
        profile = replace(profile, frames_per_second=rate)
    drafts = list(_drafts(transcript, profile, named=named))
    drafts.sort(key=lambda draft: draft.start_ms)
    return tuple(_stacked(_timed(drafts, profile)))


def bent_rules(cues: Iterable[Cue]) -> Counter[Rule]:
    """How many cues could not keep each rule."""
    return Counter(rule for cue in cues for rule in cue.bent)


def _drafts(transcript: Transcript, profile: Profile, *, named: bool) -> Iterator[_Draft]:
    onsets = Onsets(
        (utterance.start_ms, voice_of(utterance)) for utterance in transcript.utterances
    )
    # Where each voice has got to: a cue begins at least a frame after the one before it.
    reached: dict[Voice, int] = {}
    for passage in passages(transcript, profile, named=named):
        voice = passage.voice
        units = _units(passage, reached.get(voice, 0), profile)
        if not units:
            continue

        def other_next(start: int, end: int, voice: Voice = voice) -> int | None:
            return onsets.other_after(max(start + 1, end - profile.overlap_ms), voice)

        for begin, line_ends in Segmentation(units, profile, other_next).cues():
            bounds = pairwise((begin, *line_ends))
            lines = tuple(tuple(units[first:last]) for first, last in bounds)
            start = max(units[begin].start_ms, reached.get(voice, 0))
            reached[voice] = start + profile.frame_ms
            yield _Draft(passage, lines, start, is_first=begin == 0)


def _units(passage: Passage, not_before_ms: int, profile: Profile) -> list[Unit]:
    """The passage's units, labels first; none when no word is visible."""
    words = in_order(word_units(passage.words, profile.line_cells), not_before_ms)
    if not words:
        return []
    labels = [label for label in (passage.label, passage.note) if label]
    if labels and is_right_to_left(text_of(words)):
        # Else a Latin name or note would turn the whole line from left to right.
        labels[0] = RIGHT_TO_LEFT_MARK + labels[0]
    before = label_units(labels, words[0].start_ms, profile.line_cells)
    return join([*before, *words], function_words(passage.language))


def _timed(drafts: Sequence[_Draft], profile: Profile) -> Iterator[Cue]:
    """The cues of drafts in order of start, with their out-times."""
    onsets = Onsets((draft.start_ms, draft.passage.voice) for draft in drafts)
    own_next: dict[int, int] = {}
    latest: dict[Voice, int] = {}
    for index, draft in enumerate(drafts):
        if (before := latest.get(draft.passage.voice)) is not None:
            own_next[before] = draft.start_ms
        latest[draft.passage.voice] = index
    for index, draft in enumerate(drafts):
        yield _cue(draft, own_next.get(index), onsets, profile)


def _cue(draft: _Draft, own_next_ms: int | None, onsets: Onsets, profile: Profile) -> Cue:
    start, voice = draft.start_ms, draft.passage.voice
    spoken_until = max(start, draft.spoken_until_ms)
    other_next = onsets.other_after(max(start + 1, spoken_until - profile.overlap_ms), voice)
    end = out_time(start, spoken_until, draft.cells, own_next_ms, other_next, profile)
    faults = {
        Rule.TOO_SHORT: end - start < profile.min_duration_ms,
        Rule.TOO_FAST: end - start < reading_ms(draft.cells, profile),
        Rule.NO_GAP: own_next_ms is not None and own_next_ms - end < profile.gap_ms,
        Rule.TIGHT_BREAK: draft.has_tight_break(),
    }
    return Cue(
        start_ms=start,
        end_ms=end,
        lines=tuple(text_of(line) for line in draft.lines),
        voice=voice,
        emotion=draft.passage.emotion,
        named=draft.is_first and draft.passage.label != "",
        bent=tuple(rule for rule, is_bent in faults.items() if is_bent),
    )


def _stacked(cues: Iterable[Cue]) -> Iterator[Cue]:
    """The cues, each in the lowest place that stays free for as long as it is shown."""
    shown: list[Cue] = []
    for cue in cues:
        shown = [other for other in shown if other.end_ms > cue.start_ms]
        below = 0
        for other in sorted(shown, key=lambda other: other.lines_below):
            if below + len(cue.lines) <= other.lines_below:
                break
            below = max(below, other.lines_below + len(other.lines))
        placed = replace(cue, lines_below=below)
        shown.append(placed)
        yield placed
