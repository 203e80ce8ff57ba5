"""Who speaks, said in the lines themselves, for formats that have no other place for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from services.subtitles.cues import Cue
from services.subtitles.graphemes import cells, cut
from services.subtitles.passages import Labels
from services.subtitles.profiles import Profile
from services.subtitles.timing import Voice


def named_lines(
    cues: Iterable[Cue], names: Mapping[str, str], labels: Labels, profile: Profile
) -> Iterator[tuple[Cue, list[str]]]:
    """Cues with a label wherever the cue before is another speaker's.

    `build_cues` has set labels where a passage begins. They are missing where a speaker goes on
    after a cue of somebody who spoke at the same time.
    """
    previous: Voice | None = None
    for cue in cues:
        lines = list(cue.lines)
        label = labels.of(names.get(cue.speaker or "", ""), is_first=previous is None)
        if label and cue.voice != previous and not cue.named:
            lines = _labelled(label, lines, profile)
        previous = cue.voice
        yield cue, lines


def _labelled(label: str, lines: list[str], profile: Profile) -> list[str]:
    first = f"{label} {lines[0]}"
    if cells(first) <= profile.line_cells:
        return [first, *lines[1:]]
    return [cut(label, profile.line_cells), *lines]
