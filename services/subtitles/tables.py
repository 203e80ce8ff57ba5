"""The transcript as plain text, and as tables with one utterance to a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from services.subtitles.graphemes import visible
from services.subtitles.notes import NO_SPEECH
from services.subtitles.passages import UNKNOWN_SPEAKER, speaker_names
from voxmesh_schemas import Transcript

COLUMNS = (
    "start_ms",
    "end_ms",
    "speaker",
    "language",
    "emotion",
    "emotion_confidence",
    "text",
)


def to_text(transcript: Transcript) -> str:
    """What was said, a paragraph for every change of speaker, with the name before it."""
    names = speaker_names(transcript)
    paragraphs: list[tuple[str | None, list[str]]] = []
    for utterance in transcript.utterances:
        if not paragraphs or paragraphs[-1][0] != utterance.speaker:
            paragraphs.append((utterance.speaker, []))
        paragraphs[-1][1].append(visible(utterance.text))
    if not paragraphs:
        return f"{NO_SPEECH}\n"
    labels = (names.get(speaker or "") for speaker, _ in paragraphs)
    starts = (f"{name}:" if name else UNKNOWN_SPEAKER for name in labels)
    texts = (" ".join(texts) for _, texts in paragraphs)
    return "\n\n".join(f"{start} {text}" for start, text in zip(starts, texts, strict=True)) + "\n"


def to_csv(transcript: Transcript) -> str:
    """The table as RFC 4180 has it."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows(_rows(transcript))
    return buffer.getvalue()


def to_tsv(transcript: Transcript) -> str:
    """The table with tabs between; no field has a tab or a line break, and none is quoted."""
    return "".join("\t".join(row) + "\n" for row in _rows(transcript))


def _rows(transcript: Transcript) -> Iterator[tuple[str, ...]]:
    yield COLUMNS
    names = speaker_names(transcript)
    for utterance in transcript.utterances:
        emotion = utterance.emotion
        yield (
            str(utterance.start_ms),
            str(utterance.end_ms),
            names.get(utterance.speaker or "", ""),
            visible(utterance.language or ""),
            emotion.label.value if emotion else "",
            f"{emotion.confidence:.2f}" if emotion else "",
            visible(utterance.text),
        )
