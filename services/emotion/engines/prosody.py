"""Prosody: bundled, needs no model.

It measures how each window was spoken and judges nothing: whether a voice is high, lively or loud
shows only against that speaker's own baseline, which merge knows.
"""

from __future__ import annotations

from typing import ClassVar

from services.emotion.prosody import measured_prosody
from services.emotion.settings import EmotionSettings
from services.emotion.windows import speech_threshold_db, speech_windows
from services.runtime.audio import Samples
from services.runtime.engines import Usability
from voxmesh_schemas import EmotionTrack, EmotionWindow


class ProsodyEngine:
    """Measures pitch, pitch range, loudness and voicing per window."""

    name: ClassVar[str] = "prosody"
    parallel: ClassVar[bool] = False
    sends_audio_to: ClassVar[str | None] = None
    model = "yin-1"

    def __init__(self, settings: EmotionSettings) -> None:
        self._window_ms, self._hop_ms = settings.window_ms, settings.hop_ms

    def usability(self) -> Usability:
        """Always usable."""
        return Usability(usable=True, reason="bundled, needs no model")

    def detect(self, samples: Samples) -> EmotionTrack:
        """Windows with their prosody; those without a voice abstain."""
        threshold_db = speech_threshold_db(samples)
        windows = tuple(
            EmotionWindow(
                start_ms=window.start_ms,
                end_ms=window.end_ms,
                prosody=window.content
                if window.content is None
                else measured_prosody(window.content, threshold_db),
            )
            for window in speech_windows(samples, self._window_ms, self._hop_ms)
        )
        return EmotionTrack(engine=self.name, model=self.model, modality="audio", windows=windows)
