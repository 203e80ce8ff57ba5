"""VADER: bundled, a lexicon of English words with rules for negation, degree and emphasis.

C. Hutto and E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social
Media Text", ICWSM 2014. It tells how good or bad a sentence sounds, not which emotion it is, so:

- its compound score, a strength from -1 to 1, is read as the probability of any emotion; the rest
  is neutral,
- the strength goes to happy and to the negative emotions by its shares of positive and negative
  words,
- the negative part goes to the emotions that the sentence names ("scared", "furious"), and in equal
  parts to sad, angry, fearful and disgusted when it names none: then it only says "negative",
- surprise is neither good nor bad: it is not among its labels,
- a sentence without any word of the lexicon says nothing: it abstains, as it does in any language
  but English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from importlib import metadata
from typing import Any, ClassVar

from services.emotion.labels import Distribution, distribution
from services.emotion.sentences import sentence_windows
from services.emotion.settings import EmotionSettings
from services.emotion.tracks import classified
from services.runtime.engines import Usability, package_usability
from voxmesh_schemas import Emotion, EmotionTrack, Hypothesis

_NEGATIVE = {
    Emotion.SAD: r"sad|sadly|sadness|sorrow\w*|grie[fv]\w*|mourn\w*|cry|cried|crying|tears|weep\w*"
    r"|lonely|loneliness|miserabl\w*|depress\w*|heartbr\w*|hopeless\w*|unhapp\w*",
    Emotion.ANGRY: r"angry|angrily|anger|angered|furious\w*|fury|rage|raging|outrag\w*|hate[ds]?"
    r"|hating|hatred|annoy\w*|irritat\w*|resent\w*|infuriat\w*|mad|pissed",
    Emotion.FEARFUL: r"afraid|fear\w*|scar(?:e[ds]?|ing|y)|frighten\w*|fright\w*|terrif\w*|terror"
    r"|panic\w*|worr(?:y|ie[ds]|ying)|anxi(?:ous|ously|ety)|nervous\w*|dread\w*",
    Emotion.DISGUSTED: r"disgust\w*|gross|revolt(?:ed|ing)|repuls\w*|nause\w*|sicken\w*|vile"
    r"|filthy|loath\w*",
}
"""Words that name a negative emotion, by everyday usage."""
_NAMED = {
    emotion: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for emotion, words in _NEGATIVE.items()
}


class VaderEngine:
    """Reads emotion off a sentiment lexicon."""

    name: ClassVar[str] = "vader"
    parallel: ClassVar[bool] = False
    sends_audio_to: ClassVar[str | None] = None

    def __init__(self, settings: EmotionSettings) -> None:
        """Nothing of the settings concerns a lexicon."""

    @property
    def model(self) -> str:
        """The lexicon's release."""
        try:
            return f"vaderSentiment {metadata.version('vaderSentiment')}"
        except metadata.PackageNotFoundError:
            return "vaderSentiment"

    def usability(self) -> Usability:
        """Usable where the package is installed: it carries its lexicon."""
        missing = package_usability("vaderSentiment", extra="emotion")
        return missing or Usability(usable=True, reason="its lexicon comes with the package")

    def detect(self, hypothesis: Hypothesis) -> EmotionTrack:
        """A window per sentence."""
        windows = classified(sentence_windows(hypothesis, ("en",)), self._classify)
        return EmotionTrack(engine=self.name, model=self.model, modality="text", windows=windows)

    def _classify(self, texts: list[str]) -> Iterator[Distribution | None]:
        for text in texts:
            yield _read(text, self._analyzer.polarity_scores(text))

    @cached_property
    def _analyzer(self) -> Any:  # noqa: ANN401 - the package has no types
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        return SentimentIntensityAnalyzer()


def _read(text: str, polarity: dict[str, float]) -> Distribution | None:
    """VADER's scores of a sentence as probabilities."""
    opinion = polarity["pos"] + polarity["neg"]
    if opinion == 0:
        return None
    strength = abs(polarity["compound"])
    negative = strength * polarity["neg"] / opinion
    mentions = {emotion: len(named.findall(text)) for emotion, named in _NAMED.items()}
    total = sum(mentions.values())
    scores = {Emotion.NEUTRAL: 1 - strength, Emotion.HAPPY: strength - negative} | {
        emotion: negative * (count / total if total else 1 / len(_NAMED))
        for emotion, count in mentions.items()
    }
    return distribution(tuple(scores), tuple(scores.values()))
