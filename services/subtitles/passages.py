"""Stretches of a transcript to cut cues from: one voice, one mood, no long pause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from services.subtitles.emotion_notes import note
from services.subtitles.graphemes import is_blank, visible
from services.subtitles.profiles import Profile
from services.subtitles.timing import Voice
from voxmesh_schemas import Emotion, Transcript, Utterance, Word

UNKNOWN_SPEAKER = "-"
"""Stands where a name would, when somebody else speaks and nobody knows who."""


class Labels(Enum):
    """What stands before the words wherever another speaker begins."""

    NONE = "none"
    NAMES = "names"
    CHEVRONS = "chevrons"
    """Two chevrons and the name, as American captions have it."""

    def of(self, name: str, *, is_first: bool) -> str:
        """The label for a speaker's name; empty: nothing. The first unknown one needs none."""
        if self is Labels.NONE:
            return ""
        if self is Labels.CHEVRONS:
            return f">> {name}:" if name else ">>"
        return f"{name}:" if name else "" if is_first else UNKNOWN_SPEAKER


@dataclass(frozen=True)
class Passage:
    """Words to be set together, and what stands before them."""

    voice: Voice
    words: tuple[Word, ...]
    language: str | None
    emotion: Emotion | None
    is_strong: bool
    """Whether the emotion deserves a note."""
    label: str
    """What names the speaker before the first word; empty: nothing does."""
    note: str
    """What is said of the emotion before the first word; empty: nothing."""


def speaker_names(transcript: Transcript) -> dict[str, str]:
    """The names to show, by label; a speaker without a visible name shows the label."""
    names = {speaker.label: visible(speaker.name) for speaker in transcript.speakers}
    for utterance in transcript.utterances:
        if (label := utterance.speaker) and is_blank(names.get(label, "")):
            names[label] = visible(label)
    return {label: name for label, name in names.items() if label and not is_blank(name)}


def passages(
    transcript: Transcript, profile: Profile, labels: Labels, *, with_notes: bool
) -> Iterator[Passage]:
    """The passages in order of start; `with_notes` says of strong emotions what they are."""
    names = speaker_names(transcript)
    shown: dict[Voice, str] = {}
    previous: Voice | None = None
    for group in _groups(transcript, profile):
        first = group[0]
        voice, text = voice_of(first), _note(first, transcript, profile)
        label = labels.of(names.get(first.speaker or "", ""), is_first=previous is None)
        is_new_mood = shown.get(voice) != text
        shown[voice] = text
        yield Passage(
            voice=voice,
            words=tuple(word for utterance in group for word in utterance.words),
            language=first.language or transcript.language,
            emotion=_emotion(first),
            is_strong=text != "",
            label=label if voice != previous else "",
            note=text if is_new_mood and with_notes else "",
        )
        previous = voice


def voice_of(utterance: Utterance) -> Voice:
    """Whose utterance it is."""
    return utterance.channel, utterance.speaker


def _groups(transcript: Transcript, profile: Profile) -> Iterator[list[Utterance]]:
    """Utterances that follow each other closely and do not differ in who, how and language."""
    group: list[Utterance] = []
    for utterance in sorted(transcript.utterances, key=lambda utterance: utterance.start_ms):
        if group and not _continues(group[-1], utterance, transcript, profile):
            yield group
            group = []
        group.append(utterance)
    if group:
        yield group


def _continues(
    before: Utterance, utterance: Utterance, transcript: Transcript, profile: Profile
) -> bool:
    return (
        voice_of(before) == voice_of(utterance)
        and before.language == utterance.language
        and _emotion(before) == _emotion(utterance)
        and _note(before, transcript, profile) == _note(utterance, transcript, profile)
        and utterance.start_ms - before.end_ms <= profile.pause_ms
    )


def _emotion(utterance: Utterance) -> Emotion | None:
    if utterance.emotion is None or utterance.emotion.label is Emotion.NEUTRAL:
        return None
    return utterance.emotion.label


def _note(utterance: Utterance, transcript: Transcript, profile: Profile) -> str:
    language = utterance.language or transcript.language
    return note(utterance.emotion, language, profile.note_confidence)
