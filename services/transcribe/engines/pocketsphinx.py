"""CMU PocketSphinx with the US English model that its wheel carries: needs no download.

Silero VAD finds the speech, and each stretch is decoded by itself. So nothing is heard in silence,
and the cepstral mean is that of one stretch of speech, whatever was decoded before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from threading import Lock
from typing import Any, ClassVar

import numpy as np

from services.runtime.audio import SAMPLE_RATE_HZ, Samples
from services.runtime.engines import Usability, package_usability
from services.runtime.errors import PermanentError
from services.transcribe.languages import primary_subtag
from services.transcribe.settings import TranscribeSettings
from services.transcribe.speech import stretches_of_speech
from services.transcribe.words import Heard, duration_ms, in_order
from voxmesh_schemas import Hypothesis

_FRAME_MS = 10
_ALTERNATIVE = re.compile(r"\(\d+\)$")
"""Marks a word's second, third, … pronunciation in the dictionary."""
_FIRST_PERSON = re.compile(r"^i(?=$|')")
"""I, I'm, I'll: the one capital that a lower-case transcript cannot do without."""


class PocketSphinx:
    """Recognises English, one stretch of speech at a time."""

    name: ClassVar[str] = "pocketsphinx"
    parallel: ClassVar[bool] = False
    sends_audio_to: ClassVar[str | None] = None

    def __init__(self, settings: TranscribeSettings) -> None:
        del settings
        self._lock = Lock()

    @property
    def model(self) -> str:
        """The bundled model; it has no version but the package's."""
        try:
            return f"en-us {version('pocketsphinx')}"
        except PackageNotFoundError:
            return "en-us"

    def usability(self) -> Usability:
        """Usable wherever its packages are installed."""
        missing = package_usability("pocketsphinx", "faster_whisper", extra="transcribe")
        return missing or Usability(usable=True, reason="its English model came with its package")

    def transcribe(self, samples: Samples, *, language: str | None) -> Hypothesis:
        """Lower-case words without punctuation, with posteriors of the word lattice.

        Raises:
            PermanentError: for a language other than English.
        """
        if language is not None and primary_subtag(language) != "en":
            raise PermanentError(
                f"pocketsphinx hears English only, not {language!r}; choose faster-whisper for it"
            )
        return Hypothesis(
            engine=self.name,
            model=self.model,
            language=language or "en",
            words=in_order(self._heard(samples), duration_ms(samples)),
        )

    def _heard(self, samples: Samples) -> Iterator[Heard]:
        for start, end in stretches_of_speech(samples):
            offset_ms = start * 1000 / SAMPLE_RATE_HZ
            for segment in self._decoded(samples[start:end]):
                text = _ALTERNATIVE.sub("", segment.word)
                if text[0] not in "<[+":  # silence, noise and other fillers
                    yield Heard(
                        text=_FIRST_PERSON.sub("I", text),
                        start_ms=offset_ms + segment.start_frame * _FRAME_MS,
                        end_ms=offset_ms + (segment.end_frame + 1) * _FRAME_MS,
                        confidence=segment.prob,
                    )

    def _decoded(self, speech: Samples) -> list[Any]:
        pcm = (np.clip(speech, -1, 1) * 32767).astype("<i2").tobytes()
        with self._lock:
            decoder = self._decoder
            # Forgets the noise that earlier speech was heard in, of which it keeps an average.
            decoder.reinit_feat()
            decoder.start_utt()
            # Always as a whole: the decoder crashes on a mix of whole and partial utterances, and
            # only over a whole one is the cepstral mean its own.
            decoder.process_raw(pcm, full_utt=True)
            decoder.end_utt()
            return list(decoder.seg()) if decoder.hyp() else []

    @cached_property
    def _decoder(self) -> Any:  # noqa: ANN401 - pocketsphinx has no types
        from pocketsphinx import Decoder

        # Fewer active states than the default 30,000 bound the time that noise costs.
        return Decoder(cmn="batch", maxhmmpf=10_000, loglevel="FATAL")
