"""Engines for tests: they hear beeps (`tests/mesh/beeps.py`) as words, voices and moods.

Each stage has one engine per behaviour, all of which the package's entry points offer:

    beeps            hears every beep
    beeps-too        likewise, as a second opinion
    beeps-slow       waits VOXMESH_TEST_DELAY_S before
    beeps-flaky      fails twice for each chunk, as a busy device would, before it does
    beeps-deaf       never hears a chunk that has a beep of the highest level
    beeps-broken     never hears anything
    beeps-deadly     kills its process, once for each chunk
    beeps-murderous  kills its process whenever a chunk has a beep of the highest level
    beeps-rubbish    returns something that is no result
    beeps-nonsense   returns a result whose content is none
    beeps-unusable   cannot be used here

What they have done for a chunk before is in the folder VOXMESH_TEST_MARKS, so that it outlives
their processes.
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from services.runtime.audio import Samples
from services.runtime.engines import Usability
from services.runtime.errors import PermanentError, TransientError
from voxmesh_schemas import (
    Diarization,
    Emotion,
    EmotionTrack,
    EmotionWindow,
    Hypothesis,
    HypothesisWord,
    Turn,
)

FRAME = 160  # 10 ms
LEVELS = 12
"""A beep's peak is (its level + 1) / (LEVELS + 1) of full scale."""
WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
]
PITCH_HZ = 500
"""Beeps below are voice A, beeps above are voice B."""
MOODS = (Emotion.NEUTRAL, Emotion.HAPPY)


@dataclass(frozen=True)
class Beep:
    """A stretch of sound, times in milliseconds."""

    start_ms: int
    end_ms: int
    level: int
    high: bool


def beeps(samples: Samples) -> list[Beep]:
    """Every stretch of sound between silences."""
    count = len(samples) // FRAME
    frames = np.abs(samples[: count * FRAME].reshape(count, FRAME)).max(axis=1)
    loud = np.concatenate(([False], frames > 0.01, [False])).astype(np.int8)
    starts, ends = np.flatnonzero(np.diff(loud) == 1), np.flatnonzero(np.diff(loud) == -1)
    return [
        _beep(samples[a * FRAME : b * FRAME], int(a) * 10, int(b) * 10)
        for a, b in zip(starts, ends, strict=True)
        if b - a >= 5
    ]


def _beep(sound: Samples, start_ms: int, end_ms: int) -> Beep:
    level = round(float(np.abs(sound).max()) * (LEVELS + 1)) - 1
    crossings = np.count_nonzero(np.diff(np.signbit(sound)))
    pitch_hz = crossings * 500 / (end_ms - start_ms)
    return Beep(start_ms, end_ms, min(max(level, 0), LEVELS - 1), bool(pitch_hz > PITCH_HZ))


class Behaviour:
    """Hears every beep."""

    name: ClassVar[str] = "beeps"
    parallel: ClassVar[bool] = False
    sends_audio_to: ClassVar[str | None] = None
    model = "1"

    def __init__(self, settings: object) -> None:
        self.settings = settings

    def usability(self) -> Usability:
        return Usability(usable=True, reason="for tests")

    def before(self, data: bytes, *, highest: bool) -> None:
        """Runs before a chunk is heard; `data` identifies it."""

    def instead(self, result: Any) -> Any:
        """What to return instead of the result."""
        return result

    def times_before(self, data: bytes) -> int:
        """How often this was asked before for this engine, stage and chunk."""
        marks = Path(os.environ["VOXMESH_TEST_MARKS"])
        what = hashlib.sha256(data).hexdigest()[:16]
        name = f"{type(self).__name__}-{what}"
        count = len(list(marks.glob(f"{name}-*")))
        (marks / f"{name}-{count}").touch()
        return count


class Too(Behaviour):
    name = "beeps-too"


class Slow(Behaviour):
    name = "beeps-slow"

    def before(self, data: bytes, *, highest: bool) -> None:
        time.sleep(float(os.environ.get("VOXMESH_TEST_DELAY_S", "0")))


class Flaky(Behaviour):
    name = "beeps-flaky"

    def before(self, data: bytes, *, highest: bool) -> None:
        if self.times_before(data) < 2:
            raise TransientError("the device is busy")


class Deaf(Behaviour):
    name = "beeps-deaf"

    def before(self, data: bytes, *, highest: bool) -> None:
        if highest:
            raise PermanentError("this is too loud")


class Broken(Behaviour):
    name = "beeps-broken"

    def before(self, data: bytes, *, highest: bool) -> None:
        raise PermanentError("the device is broken")


class Deadly(Behaviour):
    name = "beeps-deadly"

    def before(self, data: bytes, *, highest: bool) -> None:
        if self.times_before(data) < 1:
            os.kill(os.getpid(), signal.SIGKILL)


class Murderous(Behaviour):
    name = "beeps-murderous"

    def before(self, data: bytes, *, highest: bool) -> None:
        if highest:
            os.kill(os.getpid(), signal.SIGKILL)


class Rubbish(Behaviour):
    name = "beeps-rubbish"

    def instead(self, result: Any) -> Any:
        return ["rubbish"]


class Nonsense(Behaviour):
    name = "beeps-nonsense"

    def instead(self, result: Any) -> Any:
        return type(result).model_construct(engine=self.name)


class Unusable(Behaviour):
    name = "beeps-unusable"

    def usability(self) -> Usability:
        return Usability(usable=False, reason="it is switched off", remedy="Switch it on.")


class Transcriber(Behaviour):
    """A beep is the word of its level."""

    def transcribe(self, samples: Samples, *, language: str | None) -> Any:
        heard = beeps(samples)
        self.before(samples.tobytes(), highest=any(b.level == LEVELS - 1 for b in heard))
        words = tuple(
            HypothesisWord(
                start_ms=b.start_ms, end_ms=b.end_ms, text=WORDS[b.level], confidence=0.9
            )
            for b in heard
        )
        language = language or "en"
        return self.instead(
            Hypothesis(engine=self.name, model=self.model, language=language, words=words)
        )


class Diarizer(Behaviour):
    """A beep is a turn of the voice of its pitch."""

    def diarize(
        self, samples: Samples, *, min_speakers: int | None, max_speakers: int | None
    ) -> Any:
        heard = beeps(samples)
        self.before(samples.tobytes(), highest=any(b.level == LEVELS - 1 for b in heard))
        turns = tuple(
            Turn(start_ms=b.start_ms, end_ms=b.end_ms, speaker="BA"[not b.high]) for b in heard
        )
        voices = {"A": (1.0, 0.0), "B": (0.0, 1.0)}
        present = {turn.speaker: voices[turn.speaker] for turn in turns}
        return self.instead(
            Diarization(engine=self.name, model=self.model, turns=turns, embeddings=present)
        )


class AudioEmotion(Behaviour):
    """Low voices are neutral, high ones happy."""

    def detect(self, samples: Samples) -> Any:
        heard = beeps(samples)
        self.before(samples.tobytes(), highest=any(b.level == LEVELS - 1 for b in heard))
        windows = tuple(
            EmotionWindow(
                start_ms=b.start_ms,
                end_ms=b.end_ms,
                probabilities={MOODS[b.high]: 0.9, MOODS[not b.high]: 0.1},
            )
            for b in heard
        )
        return self.instead(
            EmotionTrack(engine=self.name, model=self.model, modality="audio", windows=windows)
        )


class TextEmotion(Behaviour):
    """All words are neutral."""

    def detect(self, hypothesis: Hypothesis) -> Any:
        highest = any(word.text == WORDS[-1] for word in hypothesis.words)
        self.before(hypothesis.model_dump_json().encode(), highest=highest)
        windows = tuple(
            EmotionWindow(start_ms=w.start_ms, end_ms=w.end_ms, probabilities={MOODS[0]: 1.0})
            for w in hypothesis.words
        )
        return self.instead(
            EmotionTrack(engine=self.name, model=self.model, modality="text", windows=windows)
        )


STAGES = (Transcriber, Diarizer, AudioEmotion, TextEmotion)
BEHAVIOURS = (
    Behaviour,
    Too,
    Slow,
    Flaky,
    Deaf,
    Broken,
    Deadly,
    Murderous,
    Rubbish,
    Nonsense,
    Unusable,
)

# SlowTranscriber, SlowDiarizer and so on, as the entry points name them.
for _stage in STAGES:
    for _behaviour in BEHAVIOURS[1:]:
        _name = f"{_behaviour.__name__}{_stage.__name__}"
        globals()[_name] = type(_name, (_behaviour, _stage), {"__module__": __name__})
