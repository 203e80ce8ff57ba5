"""A transcript on its way to files: its cues are built once for all formats that share them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from services.subtitles.cea608 import in_cea608
from services.subtitles.cues import Cue, build_cues
from services.subtitles.custom_profile import profile_of
from services.subtitles.graphemes import is_language_tag
from services.subtitles.palette import colour_of
from services.subtitles.passages import Labels, speaker_names
from services.subtitles.profiles import BROADCAST_608, Profile
from voxmesh_schemas import EmotionStyle, SubtitleOptions, Transcript, Utterance, Word

_ROWS_608 = 2
"""Of the four that may be in use at once, so that two voices fit."""


class Captions:
    """What the writers of formats write."""

    def __init__(self, transcript: Transcript, options: SubtitleOptions | None = None) -> None:
        """Raises `BadInputError` when the options change a profile in a way that makes no sense."""
        self.transcript = transcript
        self.options = SubtitleOptions() if options is None else options
        profile = profile_of(self.options.profile, self.options.rules)
        self.profile = profile.at_rate(transcript.media.frame_rate)
        self.names = speaker_names(transcript)
        """The names to show, by the speakers' labels."""
        shown = (self.names[s.label] for s in transcript.speakers if s.label in self.names)
        self.colours = {name: colour_of(at) for at, name in enumerate(dict.fromkeys(shown))}
        """The speakers' colours, by the names to show."""
        self._cues: dict[Labels, tuple[Cue, ...]] = {}

    def cues(self, labels: Labels = Labels.NONE) -> tuple[Cue, ...]:
        """The cues; those with chevrons fit the rows and columns of CEA-608."""
        if labels not in self._cues:
            is_608 = labels is Labels.CHEVRONS
            with_notes = self.options.emotion in {EmotionStyle.BRACKETS, EmotionStyle.BOTH}
            self._cues[labels] = build_cues(
                _in_cea608(self.transcript) if is_608 else self.transcript,
                self.profile_608 if is_608 else self.profile,
                labels=labels,
                with_notes=with_notes,
            )
        return self._cues[labels]

    @cached_property
    def profile_608(self) -> Profile:
        """The profile within what CEA-608 can show."""
        columns = min(self.profile.line_cells, BROADCAST_608.line_cells)
        rows = min(self.profile.max_lines, _ROWS_608)
        return replace(self.profile, line_cells=columns, max_lines=rows, scripts={})

    @property
    def styles_emotions(self) -> bool:
        """Whether styles tell emotions."""
        return self.options.emotion in {EmotionStyle.STYLE, EmotionStyle.BOTH}

    def name_of(self, cue: Cue) -> str:
        """The name to show of a cue's speaker; empty: nobody knows who it is."""
        return self.names.get(cue.speaker or "", "")

    def foreign_language(self, cue: Cue) -> str:
        """The language of a cue, where it is not the transcript's; else empty."""
        own, main = cue.language or "", self.transcript.language or ""
        is_foreign = own.lower() != main.lower() and is_language_tag(own)
        return own if is_foreign else ""


def _in_cea608(transcript: Transcript) -> Transcript:
    """The transcript in characters that CEA-608 has, so that columns are counted right."""
    speakers = tuple(
        speaker.model_copy(update={"name": in_cea608(speaker.name)})
        for speaker in transcript.speakers
    )
    utterances = tuple(_utterance_in_cea608(utterance) for utterance in transcript.utterances)
    return transcript.model_copy(update={"speakers": speakers, "utterances": utterances})


def _utterance_in_cea608(utterance: Utterance) -> Utterance:
    words = tuple(_word_in_cea608(word) for word in utterance.words)
    return utterance.model_copy(update={"words": words})


def _word_in_cea608(word: Word) -> Word:
    text = in_cea608(word.text)
    return word if text == word.text else word.model_copy(update={"text": text or " "})
