"""From a transcript to cues: what is shown, from when to when, and where on the screen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from services.subtitles.breaks import Break
from services.subtitles.function_words import function_words
from services.subtitles.graphemes import RIGHT_TO_LEFT_MARK, is_right_to_left
from services.subtitles.passages import Labels, Passage, passages, voice_of
from services.subtitles.profiles import WEB, Profile
from services.subtitles.rules import Rule
from services.subtitles.segmentation import Stretch, segment
from services.subtitles.timing import NEVER, Onsets, Times, Voice, out_times, reading_ms
from services.subtitles.units import Unit, in_order, join, label_units, text_of, word_units
from voxmesh_schemas import Emotion, Transcript


@dataclass(frozen=True)
class Cue:
    """A caption on the screen."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    voice: Voice
    units: tuple[tuple[Unit, ...], ...] = ()
    """What each line is made of, with the times of its words."""
    language: str | None = None
    """BCP 47 tag; none: unknown."""
    emotion: Emotion | None = None
    """How it is said; none: neutral or unknown."""
    is_strong: bool = False
    """Whether the emotion is strong enough for a note, were notes asked for."""
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
    """A cue whose out-time is not settled yet."""

    passage: Passage
    profile: Profile
    lines: tuple[tuple[Unit, ...], ...]
    start_ms: int
    is_first: bool
    """Whether it begins its passage."""

    @property
    def cells(self) -> int:
        widths = (sum(unit.cells + unit.spaced for unit in line) for line in self.lines)
        return sum(widths) - self.lines[0][0].spaced

    @property
    def spaced_words(self) -> int:
        return (
            1 - self.lines[0][0].spaced + sum(unit.spaced for line in self.lines for unit in line)
        )

    @property
    def spoken_until_ms(self) -> int:
        return max(self.start_ms, self.lines[-1][-1].end_ms)

    def has_tight_break(self) -> bool:
        return any(line[-1].break_after >= Break.TIGHT for line in self.lines)


def build_cues(
    transcript: Transcript,
    profile: Profile = WEB,
    *,
    labels: Labels = Labels.NONE,
    with_notes: bool = True,
) -> tuple[Cue, ...]:
    """The cues of a transcript in order of start; every visible word is in one of them.

    Cues of one voice never overlap and their starts rise; cues of different voices may overlap, and
    then stand above each other. `labels` stand before speaker changes, for formats that cannot say
    otherwise who speaks. The recording's own frame rate overrides the profile's.
    """
    profile = profile.at_rate(transcript.media.frame_rate)
    drafts = list(_drafts(transcript, profile, labels, with_notes=with_notes))
    drafts.sort(key=lambda draft: draft.start_ms)
    return tuple(_stacked(_timed(drafts)))


def bent_rules(cues: Iterable[Cue]) -> Counter[Rule]:
    """How many cues could not keep each rule."""
    return Counter(rule for cue in cues for rule in cue.bent)


@dataclass
class _Group:
    """Passages that are held to the same numbers."""

    profile: Profile
    places: list[int]
    passages: list[list[Unit]]
    voices: list[int]


def _drafts(
    transcript: Transcript, profile: Profile, labels: Labels, *, with_notes: bool
) -> Iterator[_Draft]:
    numbers: defaultdict[Voice, int] = defaultdict(lambda: len(numbers))
    onsets = Onsets(
        [utterance.start_ms for utterance in transcript.utterances],
        [numbers[voice_of(utterance)] for utterance in transcript.utterances],
    )
    found = list(passages(transcript, profile, labels, with_notes=with_notes))
    groups = _groups(found, profile, numbers)
    cut: dict[int, Iterator[_Draft]] = {}
    # Where each voice has got to: a cue begins at least a frame after the one before it.
    reached: dict[Voice, int] = {}
    for group in groups:
        stretches = segment(group.passages, group.voices, group.profile, onsets)
        for place, units, cues in zip(group.places, group.passages, stretches, strict=True):
            cut[place] = _cut(found[place], group.profile, units, cues, reached)
    for place in sorted(cut):
        yield from cut[place]


def _groups(
    found: Sequence[Passage], profile: Profile, numbers: dict[Voice, int]
) -> Iterable[_Group]:
    """The units of passages, by the language whose rules they follow."""
    groups: dict[str | None, _Group] = {}
    reached: dict[Voice, int] = {}
    for place, passage in enumerate(found):
        group = groups.get(passage.language)
        if group is None:
            own = profile.in_language(passage.language)
            group = groups[passage.language] = _Group(own, [], [], [])
        units = _units(passage, reached.get(passage.voice, 0), group.profile)
        if units:
            reached[passage.voice] = units[-1].start_ms + profile.frame_ms
            group.places.append(place)
            group.passages.append(units)
            group.voices.append(numbers[passage.voice])
    return groups.values()


def _units(passage: Passage, not_before_ms: int, profile: Profile) -> list[Unit]:
    """The passage's units, labels first; none when no word is visible."""
    visible = word_units(passage.words, profile.line_cells)
    if not visible:
        return []
    words = in_order(visible, not_before_ms)
    labels = [label for label in (passage.label, passage.note) if label]
    if labels and is_right_to_left(text_of(words)):
        # Else a Latin name or note would turn the whole line from left to right.
        labels[0] = RIGHT_TO_LEFT_MARK + labels[0]
    before = label_units(labels, words[0].start_ms, profile.line_cells)
    return join([*before, *words], function_words(passage.language))


def _cut(
    passage: Passage,
    profile: Profile,
    units: Sequence[Unit],
    stretches: Iterable[Stretch],
    reached: dict[Voice, int],
) -> Iterator[_Draft]:
    for stretch in stretches:
        bounds = pairwise((stretch.begin, *stretch.lines))
        lines = tuple(tuple(units[first:last]) for first, last in bounds)
        start = max(units[stretch.begin].start_ms, reached.get(passage.voice, 0))
        reached[passage.voice] = start + profile.frame_ms
        yield _Draft(passage, profile, lines, start, is_first=stretch.begin == 0)


def _timed(drafts: Sequence[_Draft]) -> Iterator[Cue]:
    """The cues of drafts in order of start, with their out-times."""
    numbers: defaultdict[Voice, int] = defaultdict(lambda: len(numbers))
    voices = np.array([numbers[draft.passage.voice] for draft in drafts], dtype=np.int64)
    starts = np.array([draft.start_ms for draft in drafts], dtype=np.int64)
    spoken = np.array([draft.spoken_until_ms for draft in drafts], dtype=np.int64)
    own_next = _own_next(starts, voices)
    onsets = Onsets(starts.tolist(), voices.tolist())
    groups: defaultdict[Profile, list[int]] = defaultdict(list)
    for place, draft in enumerate(drafts):
        groups[draft.profile].append(place)
    outs, readings = np.zeros_like(starts), np.zeros_like(starts)
    for profile, places in groups.items():
        at = np.array(places)
        cells = np.array([drafts[place].cells for place in places])
        words = np.array([drafts[place].spaced_words for place in places])
        readings[at] = reading_ms(cells, words, profile)
        sure = np.maximum(starts[at] + 1, spoken[at] - profile.overlap_ms)
        other_next = onsets.other_after(sure, voices[at])
        outs[at] = out_times(
            starts[at], spoken[at], readings[at], own_next[at], other_next, profile
        )
    for draft, out, reading, following in zip(
        drafts, outs.tolist(), readings.tolist(), own_next.tolist(), strict=True
    ):
        yield _cue(draft, out, reading, following)


def _own_next(starts: Times, voices: Times) -> Times:
    """For each draft, when the next one of its voice starts."""
    order = np.argsort(voices, kind="stable")
    following = np.append(starts[order][1:], NEVER)[: len(order)]
    following[voices[order] != np.append(voices[order][1:], -1)[: len(order)]] = NEVER
    found = np.empty_like(starts)
    found[order] = following
    return found


def _cue(draft: _Draft, end_ms: int, reading: int, own_next_ms: int) -> Cue:
    passage, profile, shown = draft.passage, draft.profile, end_ms - draft.start_ms
    faults = {
        Rule.TOO_SHORT: shown < profile.min_duration_ms,
        Rule.TOO_FAST: shown < reading,
        Rule.NO_GAP: own_next_ms - end_ms < profile.gap_ms,
        Rule.TIGHT_BREAK: draft.has_tight_break(),
    }
    return Cue(
        start_ms=draft.start_ms,
        end_ms=end_ms,
        lines=tuple(text_of(line) for line in draft.lines),
        voice=passage.voice,
        units=draft.lines,
        language=passage.language,
        emotion=passage.emotion,
        is_strong=passage.is_strong,
        named=draft.is_first and passage.label != "",
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
        placed = replace(cue, lines_below=below) if below else cue
        shown.append(placed)
        yield placed
