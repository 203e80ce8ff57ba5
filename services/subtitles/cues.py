"""From a transcript to cues: what is shown, from when to when, and where on the screen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.subtitles.drafts import Draft, build_drafts
from services.subtitles.passages import Labels
from services.subtitles.profiles import WEB, Profile
from services.subtitles.rules import Rule
from services.subtitles.timing import NEVER, Onsets, Times, Voice, out_times, reading_ms
from services.subtitles.units import Unit, text_of
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
    drafts = list(build_drafts(transcript, profile, labels, with_notes=with_notes))
    drafts.sort(key=lambda draft: draft.start_ms)
    return tuple(_stacked(_timed(drafts)))


def bent_rules(cues: Iterable[Cue]) -> Counter[Rule]:
    """How many cues could not keep each rule."""
    return Counter(rule for cue in cues for rule in cue.bent)


def _timed(drafts: Sequence[Draft]) -> Iterator[Cue]:
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


def _cue(draft: Draft, end_ms: int, reading: int, own_next_ms: int) -> Cue:
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
