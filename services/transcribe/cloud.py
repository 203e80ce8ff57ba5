"""What engines that send audio to a vendor have in common.

A chunk in which nobody speaks is not sent: it would cost money, and invite invented text.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import SecretStr

from services.runtime.audio import Samples
from services.runtime.engines import Usability, package_usability
from services.runtime.errors import EngineUnusableError, VoxmeshError
from services.transcribe.answers import Refused, breakdown, chain, refusal
from services.transcribe.settings import TranscribeSettings
from services.transcribe.speech import stretches_of_speech
from services.transcribe.uploads import Limits, Upload, uploads
from services.transcribe.words import Heard, duration_ms, in_order
from voxmesh_schemas import Hypothesis


@dataclass(frozen=True)
class Recognised:
    """What a vendor heard in one upload."""

    words: Sequence[Heard]
    """Times from the upload's start."""
    language: str | None
    """BCP 47 tag, when the vendor tells it."""


class CloudTranscriber(ABC):
    """Has a vendor's SDK hear chunks.

    A subclass names itself and its vendor, and says how to ask. Retrying is the runtime's business.
    """

    name: ClassVar[str]
    parallel: ClassVar[bool] = False
    sends_audio_to: ClassVar[str | None]
    package: ClassVar[str]
    """Module of the SDK."""
    extra: ClassVar[str]
    """Extra of voxmesh that brings the SDK."""
    limits: ClassVar[Limits]

    def __init__(self, settings: TranscribeSettings) -> None:
        self._settings = settings

    @property
    @abstractmethod
    def model(self) -> str:
        """Model, and what else of the settings changes its words."""

    @property
    @abstractmethod
    def _secret(self) -> SecretStr | None:
        """The key to the vendor's API."""

    @property
    @abstractmethod
    def _remedy(self) -> str:
        """How to set the key."""

    @abstractmethod
    def _recognise(self, upload: Upload, language: str | None) -> Recognised:
        """Ask the vendor.

        Raises:
            Refused: when it answers with something else than a result.
            VoxmeshError: when the engine knows better what a failure means.
            Exception: whatever its SDK raises when there is no answer, or none that can be read.
        """

    @property
    def _vendor(self) -> str:
        return self.sends_audio_to or self.name

    @property
    def _key(self) -> str:
        return self._secret.get_secret_value() if self._secret else ""

    def usability(self) -> Usability:
        """Usable with its packages installed and its key set; whether the key is good is not asked.

        The vendor is not asked either: that would tell it of every start of a worker.
        """
        missing = package_usability("av", "faster_whisper", extra="transcribe")
        missing = missing or package_usability(self.package, extra=self.extra) or self._unset()
        reason = f"all is set; it sends audio to {self._vendor}"
        return missing or Usability(usable=True, reason=reason)

    def _unset(self) -> Usability | None:
        """Unusable, when a setting is missing that has no default."""
        if self._key:
            return None
        reason = f"no key to {self._vendor} is set"
        return Usability(usable=False, reason=reason, remedy=self._remedy)

    def transcribe(self, samples: Samples, *, language: str | None) -> Hypothesis:
        """Words as the vendor writes them.

        Raises:
            TransientError: when the vendor is busy, out of reach or hard to understand.
            EngineUnusableError: without a key that it takes.
            PermanentError: when it refuses the chunk or the language.
        """
        usability = self.usability()
        if not usability.usable:
            raise EngineUnusableError(f"{usability.reason}; {usability.remedy}")
        heard: list[Heard] = []
        languages: Counter[str] = Counter()
        speech = stretches_of_speech(samples)
        for upload in uploads(samples, speech, self.limits) if speech else ():
            recognised = self._asked(upload, language)
            heard += [
                replace(word, language=word.language or recognised.language)
                for word in shifted(recognised.words, upload.start_ms)
            ]
            if recognised.language:
                languages[recognised.language] += len(upload.samples)
        main = max(languages, key=lambda tag: languages[tag], default=None)
        words = (
            replace(word, language=None if language or word.language == main else word.language)
            for word in spoken(heard)
        )
        return Hypothesis(
            engine=self.name,
            model=self.model,
            language=language or main,
            words=in_order(words, duration_ms(samples)),
        )

    def _asked(self, upload: Upload, language: str | None) -> Recognised:
        try:
            return self._recognise(upload, language)
        except VoxmeshError:
            raise
        except Exception as error:
            failure = self._failure(error, language)
        # Not from within the handler: what is chained to an error is logged with it, and the SDK's
        # own may hold the key.
        raise failure

    def _failure(self, error: Exception, language: str | None) -> VoxmeshError:
        answer = next((one for one in chain(error) if isinstance(one, Refused)), None)
        if answer is None:
            return breakdown(self._vendor, error)
        return refusal(self._vendor, answer, key=self._key, remedy=self._remedy, language=language)


def shifted(words: Iterable[Heard], by_ms: float) -> list[Heard]:
    """Words on a timeline that begins `by_ms` earlier."""
    return [
        replace(word, start_ms=word.start_ms + by_ms, end_ms=word.end_ms + by_ms) for word in words
    ]


_BRACKETS = {"[": "]", "(": ")", "<": ">"}
_LONGEST_NOTE = 8


def spoken(words: Sequence[Heard]) -> list[Heard]:
    """Words without the notes among them that nobody spoke, such as [MUSIC] or (soft applause)."""
    kept: list[Heard] = []
    at = 0
    while at < len(words):
        text = words[at].text.strip()
        closing = _BRACKETS.get(text[:1])
        note = [w.text.strip().rstrip(".,!?;:") for w in words[at : at + _LONGEST_NOTE]]
        ends = [n for n, piece in enumerate(note) if closing and piece.endswith(closing)]
        if ends:
            at += ends[0] + 1
        else:
            kept.append(words[at])
            at += 1
    return kept


def with_key_terms(model: str, key_terms: Sequence[str]) -> str:
    """The name of a model that was told key terms: results with others are other results."""
    if not key_terms:
        return model
    digest = hashlib.sha256("\n".join(key_terms).encode()).hexdigest()[:8]
    return f"{model} with key terms {digest}"
