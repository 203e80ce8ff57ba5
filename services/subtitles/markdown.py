"""The transcript as Markdown (CommonMark with tables), for people."""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.subtitles.graphemes import visible
from services.subtitles.notes import NO_SPEECH, clock, facts, warning
from services.subtitles.passages import speaker_names
from voxmesh_schemas import Transcript, Utterance, Word

# Text never stands at the beginning of a line here, so what only counts there needs no escape. The
# last three keep addresses from turning into links.
_SPECIAL = re.compile(r"[\\`*_\[\]<>&|~$#]|@|:(?=//)|(?<=www)\.", re.IGNORECASE)
_UNKNOWN = "Unknown speaker"


def to_markdown(transcript: Transcript) -> str:
    """Facts, then the text by speaker, then by time with emotions, then word by word."""
    sections = [_head(transcript)]
    if not transcript.utterances:
        sections.append(NO_SPEECH)
    else:
        names = speaker_names(transcript)
        sections += [
            "## Text\n\n" + "\n\n".join(_paragraphs(transcript, names)),
            "## Segments\n\n" + "\n".join(_segments(transcript, names)),
            "## Words\n\n" + "\n".join(_words(transcript, names)),
        ]
    return "\n\n".join(sections) + "\n"


def escape(text: str) -> str:
    """A text that reads as itself in Markdown, anywhere but at the beginning of a line."""
    return _SPECIAL.sub(r"\\\g<0>", visible(text))


def _head(transcript: Transcript) -> str:
    title = escape(transcript.media.name) or "Transcript"
    lines = [f"# {title}", ""]
    lines += [f"- {name}: {escape(value)}" for name, value in facts(transcript)[1:]]
    lines += [f"- **Warning:** {escape(warning(notice))}" for notice in transcript.warnings]
    return "\n".join(lines)


def _paragraphs(transcript: Transcript, names: dict[str, str]) -> Iterator[str]:
    """What each speaker says at a stretch."""
    texts: list[str] = []
    speaker = ""
    for utterance in transcript.utterances:
        if (name := _name(utterance, names)) != speaker and texts:
            yield f"**{speaker}:** {' '.join(texts)}"
            texts = []
        speaker = name
        texts.append(escape(utterance.text))
    yield f"**{speaker}:** {' '.join(texts)}"


def _segments(transcript: Transcript, names: dict[str, str]) -> Iterator[str]:
    yield "| Start | End | Speaker | Emotion | Text |"
    yield "|---|---|---|---|---|"
    for utterance in transcript.utterances:
        emotion = utterance.emotion
        mood = f"{emotion.label.value} ({emotion.confidence:.0%})" if emotion else ""
        text = escape(utterance.text)
        yield _row(utterance, _name(utterance, names), mood, text)


def _words(transcript: Transcript, names: dict[str, str]) -> Iterator[str]:
    yield "| Start | End | Speaker | Confidence | Word |"
    yield "|---|---|---|---|---|"
    for utterance in transcript.utterances:
        name = _name(utterance, names)
        for word in utterance.words:
            sure = "" if word.confidence is None else f"{word.confidence:.0%}"
            yield _row(word, name, sure, escape(word.text))


def _row(span: Utterance | Word, *cells: str) -> str:
    return "| " + " | ".join((clock(span.start_ms), clock(span.end_ms), *cells)) + " |"


def _name(utterance: Utterance, names: dict[str, str]) -> str:
    return escape(names.get(utterance.speaker or "", _UNKNOWN))
