"""The label sets of emotion models, mapped onto the one that voxmesh has."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from voxmesh_schemas import Emotion

Distribution = dict[Emotion, float]
"""Probabilities over the emotions that an engine knows, in the enum's order, adding up to 1."""

LEAST_MAPPED = 0.5
"""Below this share of its probability on labels that map, a model is not understood: no opinion."""

FLATTEST = 0.97
"""Above this share of the greatest possible entropy a distribution prefers nothing: no opinion."""

_NAMES: dict[Emotion, str] = {
    # Each row: the words for it in categorical corpora and models (IEMOCAP's three letters,
    # RAVDESS, TESS, CREMA-D, EmoDB, Ekman's adjectives and nouns), then the fine labels that
    # GoEmotions (Demszky et al., 2020, appendix, Ekman grouping) puts under it.
    Emotion.NEUTRAL: "neu neutral neutrality calm",
    Emotion.HAPPY: "hap happy happiness joy joyful exc excited excitement love "
    "admiration amusement approval caring desire gratitude optimism pride relief",
    Emotion.SAD: "sad sadness disappointment embarrassment grief remorse",
    Emotion.ANGRY: "ang angry anger annoyance disapproval",
    Emotion.FEARFUL: "fea fear fearful nervousness",
    Emotion.DISGUSTED: "dis disgust disgusted",
    Emotion.SURPRISED: "sur surprise surprised ps pleasant-surprise "
    "confusion curiosity realization",
}
_EMOTION_OF = {name: emotion for emotion, names in _NAMES.items() for name in names.split()}


def emotion_of(label: str) -> Emotion | None:
    """The emotion that a model's own label stands for; None for labels that stand for none.

    Case does not count, and of a bilingual label (`生气/angry`) the last part does.
    """
    name = label.rsplit("/", 1)[-1].strip().casefold()
    return _EMOTION_OF.get(name.replace("_", "-").replace(" ", "-"))


def distribution(labels: Sequence[str], scores: Sequence[float]) -> Distribution | None:
    """A model's scores, not negative and one per label, as a distribution; None: it abstains.

    Labels that stand for no emotion are dropped and the rest is scaled to 1. The model abstains
    when less than half of its scores is left then, when it knows fewer than two emotions, and when
    what is left is flat.
    """
    emotions = [emotion_of(label) for label in labels]
    mass = {emotion: 0.0 for emotion in Emotion if emotion in emotions}
    for emotion, score in zip(emotions, scores, strict=True):
        if emotion is not None:
            mass[emotion] += score
    mapped = sum(mass.values())
    if len(mass) < 2 or mapped <= 0 or mapped < LEAST_MAPPED * sum(scores):
        return None
    shares = {emotion: value / mapped for emotion, value in mass.items()}
    if _flatness(shares.values()) > FLATTEST:
        return None
    return {emotion: round(share, 4) for emotion, share in shares.items()}


def _flatness(shares: Collection[float]) -> float:
    """Entropy as a share of the greatest possible: 0 certain, 1 uniform."""
    entropy = -sum(share * math.log(share) for share in shares if share > 0)
    return entropy / math.log(len(shares))
