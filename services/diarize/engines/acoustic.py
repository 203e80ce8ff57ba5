"""Voices told apart by their spectra alone: needs no trained speaker model and no download.

Speech is found by Silero VAD. Windows of 1.5 s are compared by their mean cepstra and clustered,
then the borders between voices are sought with a mixture model of each. One voice at a time: speech
of two at once goes to the stronger.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from services.diarize.clustering import cluster
from services.diarize.embedding import VERSION, voice_embedding
from services.diarize.features import (
    FRAME_MS,
    Floats,
    Indices,
    Speech,
    mfcc,
    nearest_window,
    select_speech,
    sliding_windows,
    standardized_means,
)
from services.diarize.resegmentation import resegment
from services.diarize.settings import DiarizeSettings
from services.diarize.turns import named, turns_of_frames
from services.diarize.vad import MODEL, speech_regions
from services.runtime.audio import Samples
from services.runtime.engines import Usability, package_usability
from voxmesh_schemas import Diarization, Turn

_WINDOW = 1500 // FRAME_MS
_HOP = 750 // FRAME_MS


class Acoustic:
    """Clusters windows of speech by how they sound."""

    name: ClassVar[str] = "acoustic"
    parallel: ClassVar[bool] = False
    sends_audio_to: ClassVar[str | None] = None

    def __init__(self, settings: DiarizeSettings) -> None:
        del settings

    @property
    def model(self) -> str:
        """The VAD's model and the space of the voice embeddings."""
        return f"{MODEL}+{VERSION}"

    def usability(self) -> Usability:
        """Usable wherever its packages are installed."""
        missing = package_usability(
            "faster_whisper", "kaldi_native_fbank", "scipy", extra="diarize"
        )
        return missing or Usability(usable=True, reason="it needs no model beyond its packages")

    def diarize(
        self, samples: Samples, *, min_speakers: int | None, max_speakers: int | None
    ) -> Diarization:
        """Turns that never overlap, and an embedding of every voice.

        There are as many voices as `min_speakers` asks for where the speech is long enough to hold
        so many windows.
        """
        regions = speech_regions(samples)
        if not regions:
            return Diarization(engine=self.name, model=self.model, turns=())
        speech = select_speech(mfcc(samples), regions)
        turns, _ = named(_turns(speech, min_speakers or 1, max_speakers))
        return Diarization(
            engine=self.name,
            model=self.model,
            turns=turns,
            embeddings=_embeddings(speech, turns),
        )


def _turns(speech: Speech, at_least: int, at_most: int | None) -> list[Turn]:
    if not speech.regions:
        return []
    coarse = _window_labels(speech, at_least, at_most)
    turns = turns_of_frames(speech, resegment(speech, coarse))
    if len({turn.speaker for turn in turns}) < at_least:
        return turns_of_frames(speech, coarse)
    return turns


def _window_labels(speech: Speech, at_least: int, at_most: int | None) -> Indices:
    """A label for every frame, that of the window nearest to it."""
    windows = sliding_windows(speech.regions, _WINDOW, _HOP)
    points = standardized_means(speech, windows)
    labels = cluster(points, at_least=at_least, at_most=at_most)
    return labels[nearest_window(windows, speech.regions)]


def _embeddings(speech: Speech, turns: tuple[Turn, ...]) -> dict[str, tuple[float, ...]]:
    return {
        speaker: voice_embedding(_frames_of(speech, turns, speaker))
        for speaker in dict.fromkeys(turn.speaker for turn in turns)
    }


def _frames_of(speech: Speech, turns: tuple[Turn, ...], speaker: str) -> Floats:
    time_ms = speech.frames * FRAME_MS
    own = np.zeros(len(time_ms), dtype=np.bool_)
    for turn in turns:
        if turn.speaker == speaker:
            own |= (time_ms >= turn.start_ms) & (time_ms < turn.end_ms)
    return speech.cepstra[own]
