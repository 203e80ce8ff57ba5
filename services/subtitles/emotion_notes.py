"""What a caption says of a voice that is strongly moved: [angrily]."""

from __future__ import annotations

from voxmesh_schemas import Emotion, UtteranceEmotion

_ORDER = (
    Emotion.HAPPY,
    Emotion.SAD,
    Emotion.ANGRY,
    Emotion.FEARFUL,
    Emotion.DISGUSTED,
    Emotion.SURPRISED,
)
_NOTES = {
    "en": ("happily", "sadly", "angrily", "fearfully", "in disgust", "in surprise"),
    "de": ("fröhlich", "traurig", "wütend", "ängstlich", "angewidert", "überrascht"),
    "fr": ("joyeux", "triste", "en colère", "effrayé", "avec dégoût", "surpris"),
    "es": ("con alegría", "con tristeza", "con enfado", "con miedo", "con asco", "con sorpresa"),
    "it": ("con gioia", "con tristezza", "con rabbia", "con paura", "con disgusto", "con sorpresa"),
    "pt": ("com alegria", "com tristeza", "com raiva", "com medo", "com nojo", "com surpresa"),
    "nl": ("vrolijk", "verdrietig", "boos", "angstig", "vol walging", "verrast"),
}


def note(emotion: UtteranceEmotion | None, language: str | None, least: float) -> str:
    """The note on an emotion whose confidence is at least `least`; empty: none is due.

    It is in the utterance's language where we know the word, else in English.
    """
    if emotion is None or emotion.confidence < least or emotion.label is Emotion.NEUTRAL:
        return ""
    notes = _NOTES.get((language or "").split("-")[0].lower(), _NOTES["en"])
    return f"[{notes[_ORDER.index(emotion.label)]}]"
