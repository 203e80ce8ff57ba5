"""Whisper on CTranslate2, by the faster-whisper package.

Silero VAD finds the speech, in clips of up to 30 s that are decoded in batches, each clip in its
own language. Nothing else is decoded, no clip is primed with the text of another, and what Whisper
itself takes for silence or a loop is left out: so it has no occasion to invent text.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

from services.runtime.audio import SAMPLE_RATE_HZ, Samples
from services.runtime.engines import Usability, package_usability
from services.runtime.errors import PermanentError
from services.transcribe import whisper_models
from services.transcribe.languages import (
    UNSPACED,
    clip_languages,
    main_language,
    tag_of,
    whisper_code,
)
from services.transcribe.settings import TranscribeSettings
from services.transcribe.speech import Stretch, packed, stretches_of_speech
from services.transcribe.words import Heard, duration_ms, in_order, joined
from voxmesh_schemas import Hypothesis

_MOST_REPETITIVE = 2.4
_LEAST_LOG_PROBABILITY = -1.0
_MOST_NO_SPEECH = 0.6
"""Thresholds of Radford et al. 2022, Robust Speech Recognition via Large-Scale Weak Supervision,
section 4.5: text that compresses better is a loop, unlikely text over likely silence is none."""
_LONGEST_REPEAT = 3
"""Tokens that a clip which looped may repeat when it is decoded again."""


class FasterWhisper:
    """Recognises a hundred languages, each clip in its own."""

    name: ClassVar[str] = "faster-whisper"
    parallel: ClassVar[bool] = True
    sends_audio_to: ClassVar[str | None] = None

    def __init__(self, settings: TranscribeSettings) -> None:
        self._settings = settings

    @property
    def model(self) -> str:
        """Name or folder of the model, and the number format, on which its words depend too."""
        if package_usability("ctranslate2", extra="transcribe"):
            return self._settings.whisper_model
        model_name = whisper_models.model_name(self._settings)
        return f"{model_name} {whisper_models.compute_type(self._settings)}"

    def usability(self) -> Usability:
        """Usable with its package installed and the model here or in reach."""
        missing = package_usability("faster_whisper", "ctranslate2", extra="transcribe")
        return missing or whisper_models.model_usability(self._settings)

    def transcribe(self, samples: Samples, *, language: str | None) -> Hypothesis:
        """Words with punctuation; in languages without spaces a word is a character.

        Raises:
            TransientError: when memory is full, or fetching the model breaks off.
            EngineUnusableError: when the model cannot be had or loaded.
            PermanentError: when the model does not know the language.
        """
        with whisper_models.named_failures(self.model):
            known = self._known(language) if language else None
            clips = packed(stretches_of_speech(samples))
            codes = [known] * len(clips) if known else self._detected(samples, clips)
            heard = self._heard(samples, clips, codes)
        main = known or (main_language(clips, codes) if clips else None)
        return Hypothesis(
            engine=self.name,
            model=self.model,
            language=language or (tag_of(main) if main else None),
            words=in_order(
                (
                    replace(word, language=None if code == main else tag_of(code))
                    for clip, code in zip(clips, codes, strict=True)
                    for word in heard.get(clip, ())
                ),
                duration_ms(samples),
            ),
        )

    @cached_property
    def _whisper(self) -> Any:  # noqa: ANN401 - faster-whisper has no types
        return whisper_models.load(self._settings)

    def _known(self, language: str) -> str:
        code = whisper_code(language)
        knows = (
            self._whisper.hf_tokenizer.token_to_id(f"<|{code}|>") is not None
            if self._whisper.model.is_multilingual
            else code == "en"
        )
        if not knows:
            raise PermanentError(
                f"the Whisper model {self.model} does not know the language {language!r}; choose "
                "another model, or let it find the language out"
            )
        return code

    def _detected(self, samples: Samples, clips: Sequence[Stretch]) -> list[str]:
        if not clips or not self._whisper.model.is_multilingual:
            return ["en"] * len(clips)
        detected = [self._whisper.detect_language(samples[start:end])[:2] for start, end in clips]
        return clip_languages(clips, detected)

    def _heard(
        self, samples: Samples, clips: Sequence[Stretch], codes: Sequence[str]
    ) -> dict[Stretch, list[Heard]]:
        heard: dict[Stretch, list[Heard]] = {}
        for code in sorted(set(codes)):
            of_code = [clip for clip, its in zip(clips, codes, strict=True) if its == code]
            for clip, segments in self._decoded(samples, of_code, code).items():
                kept = [one for one in segments if not _is_loop(one) and not _is_silence(one)]
                heard[clip] = [word for one in kept for word in _words(one, clip, code)]
        return heard

    def _decoded(
        self, samples: Samples, clips: Sequence[Stretch], code: str
    ) -> dict[Stretch, list[Any]]:
        decoded = self._segments(samples, clips, code, no_repeat_ngram_size=0)
        loops = [clip for clip in decoded if any(_is_loop(one) for one in decoded[clip])]
        if not loops:
            return decoded
        return decoded | self._segments(samples, loops, code, no_repeat_ngram_size=_LONGEST_REPEAT)

    def _segments(
        self, samples: Samples, clips: Sequence[Stretch], code: str, *, no_repeat_ngram_size: int
    ) -> dict[Stretch, list[Any]]:
        from faster_whisper import BatchedInferencePipeline

        # A new pipeline each time: it keeps where the last chunk's speech ended.
        segments, _ = BatchedInferencePipeline(self._whisper).transcribe(
            samples,
            language=code,
            clip_timestamps=[
                {"start": start / SAMPLE_RATE_HZ, "end": end / SAMPLE_RATE_HZ}
                for start, end in clips
            ],
            batch_size=self._settings.batch_size,
            word_timestamps=True,
            no_repeat_ngram_size=no_repeat_ngram_size,
        )
        starts = [start for start, _ in clips]
        of_clip: dict[Stretch, list[Any]] = {clip: [] for clip in clips}
        for segment in segments:
            # `seek` is the clip's start in frames of 10 ms, rounded down.
            frame_end = (segment.seek + 1) * SAMPLE_RATE_HZ // 100
            of_clip[clips[bisect(starts, frame_end) - 1]].append(segment)
        return of_clip


def _is_loop(segment: Any) -> bool:  # noqa: ANN401 - faster-whisper has no types
    return bool(segment.compression_ratio > _MOST_REPETITIVE)


def _is_silence(segment: Any) -> bool:  # noqa: ANN401 - as above
    return bool(
        segment.no_speech_prob > _MOST_NO_SPEECH and segment.avg_logprob < _LEAST_LOG_PROBABILITY
    )


def _words(segment: Any, clip: Stretch, code: str) -> Iterator[Heard]:  # noqa: ANN401 - as above
    first_ms, last_ms = (edge * 1000 / SAMPLE_RATE_HZ for edge in clip)
    pieces = [
        Heard(
            text=word.word,
            start_ms=min(max(word.start * 1000, first_ms), last_ms),
            end_ms=min(max(word.end * 1000, first_ms), last_ms),
            confidence=word.probability,
        )
        for word in segment.words or ()
    ]
    return iter(pieces) if code in UNSPACED else joined(pieces)
