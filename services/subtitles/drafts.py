"""From a transcript to drafts of cues: which words on which lines, and from when on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from services.subtitles.breaks import Break
from services.subtitles.function_words import function_words
from services.subtitles.graphemes import RIGHT_TO_LEFT_MARK, is_right_to_left
from services.subtitles.passages import Labels, Passage, passages, voice_of
from services.subtitles.profiles import Profile
from services.subtitles.segmentation import Stretch, segment
from services.subtitles.timing import Onsets, Voice
from services.subtitles.units import Unit, in_order, join, label_units, text_of, word_units
from voxmesh_schemas import Transcript


@dataclass(frozen=True)
class Draft:
    """A cue whose out-time is not settled yet."""

    passage: Passage
    profile: Profile
    lines: tuple[tuple[Unit, ...], ...]
    start_ms: int
    is_first: bool
    """Whether it begins its passage."""

    @property
    def cells(self) -> int:
        """Width on one line."""
        widths = (sum(unit.cells + unit.spaced for unit in line) for line in self.lines)
        return sum(widths) - self.lines[0][0].spaced

    @property
    def spaced_words(self) -> int:
        """How many words there are to read, in scripts that have spaces between them."""
        return (
            1 - self.lines[0][0].spaced + sum(unit.spaced for line in self.lines for unit in line)
        )

    @property
    def spoken_until_ms(self) -> int:
        """When its last word ends."""
        return max(self.start_ms, self.lines[-1][-1].end_ms)

    def has_tight_break(self) -> bool:
        """Whether a line of it ends where none should."""
        return any(line[-1].break_after >= Break.TIGHT for line in self.lines)


@dataclass
class _Group:
    """Passages that are held to the same numbers."""

    profile: Profile
    places: list[int]
    passages: list[list[Unit]]
    voices: list[int]


def build_drafts(
    transcript: Transcript, profile: Profile, labels: Labels, *, with_notes: bool
) -> Iterator[Draft]:
    """The drafts by passage; per voice, their starts rise."""
    numbers: defaultdict[Voice, int] = defaultdict(lambda: len(numbers))
    onsets = Onsets(
        [utterance.start_ms for utterance in transcript.utterances],
        [numbers[voice_of(utterance)] for utterance in transcript.utterances],
    )
    found = list(passages(transcript, profile, labels, with_notes=with_notes))
    cut: dict[int, tuple[_Group, list[Unit], list[Stretch]]] = {}
    for group in _groups(found, profile, numbers):
        stretches = segment(group.passages, group.voices, group.profile, onsets)
        for place, units, cues in zip(group.places, group.passages, stretches, strict=True):
            cut[place] = group, units, cues
    # Where each voice has got to: a cue begins at least a frame after the one before it.
    reached: dict[Voice, int] = {}
    for place, (group, units, cues) in sorted(cut.items(), key=lambda item: item[0]):
        yield from _cut(found[place], group.profile, units, cues, reached)


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
) -> Iterator[Draft]:
    for stretch in stretches:
        bounds = pairwise((stretch.begin, *stretch.lines))
        lines = tuple(tuple(units[first:last]) for first, last in bounds)
        start = max(units[stretch.begin].start_ms, reached.get(passage.voice, 0))
        reached[passage.voice] = start + profile.frame_ms
        yield Draft(passage, profile, lines, start, is_first=stretch.begin == 0)
