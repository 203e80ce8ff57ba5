"""Words from a transcription object of OpenAI's API, whatever it tells of times and confidences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.runtime.audio import SAMPLE_RATE_HZ
from services.transcribe.alignment import Span, aligned, with_times_of
from services.transcribe.cloud import Recognised, shifted
from services.transcribe.language_names import tag_named
from services.transcribe.speech import Stretch
from services.transcribe.uploads import Upload
from services.transcribe.words import Heard
from services.transcribe.written import words_of

Record = Mapping[str, Any]


def recognised(answer: Record, upload: Upload) -> Recognised:
    """Words with the times of the answer's words or segments, else aligned with the audio.

    Words over silence, which Whisper invents, are left out.
    """
    text: str = answer["text"]
    if answer.get("words"):
        heard = _of_words(words_of(text), answer["words"], answer.get("segments") or ())
    elif answer.get("segments"):
        heard = [word for part in answer["segments"] for word in _of_segment(part, upload)]
    else:
        heard = heard_in(text, upload, list(_token_confidences(text, answer.get("logprobs"))))
    return Recognised(
        words=[word for word in heard if _is_spoken(word, upload.speech)],
        language=tag_named(answer.get("language")),
    )


def heard_in(
    text: str, upload: Upload, confidences: Sequence[float | None] | None = None
) -> list[Heard]:
    """Words of a text that came without times."""
    words = words_of(text)
    spans = aligned(words, upload.samples, upload.speech)
    sure = confidences if confidences is not None else [None] * len(words)
    return [Heard(word, *span, p) for word, span, p in zip(words, spans, sure, strict=False)]


def _of_words(
    texts: Sequence[str], words: Sequence[Record], parts: Sequence[Record]
) -> list[Heard]:
    """The words of the text, which has punctuation, with times of the list, which has none."""
    timed = [(word["word"], _span_ms(word)) for word in words]
    texts = texts or [text for text, _ in timed]
    return [
        Heard(text, *span, _confidence_at(span, parts))
        for text, span in zip(texts, with_times_of(texts, timed), strict=True)
    ]


def _of_segment(part: Record, upload: Upload) -> list[Heard]:
    start_ms, end_ms = _span_ms(part)
    words = words_of(part["text"])
    if len(words) == 1:  # a server that was asked for words may call them segments
        return [Heard(words[0], start_ms, end_ms, _probability(part))]
    first, last = (round(at * SAMPLE_RATE_HZ / 1000) for at in (start_ms, end_ms))
    inside = [(max(a, first) - first, min(b, last) - first) for a, b in upload.speech]
    spans = aligned(words, upload.samples[first:last], [(a, b) for a, b in inside if a < b])
    return shifted(
        [Heard(w, *span, _probability(part)) for w, span in zip(words, spans, strict=False)],
        start_ms,
    )


def _token_confidences(text: str, tokens: Sequence[Record] | None) -> Iterator[float | None]:
    """For each word of the text the least probability of its tokens."""
    written = "".join(token["token"] for token in tokens or ())
    sure = [math.exp(t["logprob"]) for t in tokens or () for _ in t["token"]]
    at = 0
    for word in words_of(text):
        found = written.find(word, at)
        if found < 0:  # characters that are split between tokens
            yield None
        else:
            at = found + len(word)
            yield min(sure[found:at])


def _confidence_at(span: Span, parts: Sequence[Record]) -> float | None:
    middle_ms = sum(span) / 2
    for part in parts:
        start_ms, end_ms = _span_ms(part)
        if start_ms <= middle_ms <= end_ms:
            return _probability(part)
    return None


def _probability(part: Record) -> float | None:
    """The mean probability of a segment's tokens, where its server tells it."""
    mean = part.get("avg_logprob")
    return None if mean is None else math.exp(min(mean, 0.0))


def _span_ms(record: Record) -> Span:
    return record["start"] * 1000.0, record["end"] * 1000.0


def _is_spoken(word: Heard, speech: Sequence[Stretch]) -> bool:
    first, last = (at * SAMPLE_RATE_HZ / 1000 for at in (word.start_ms, word.end_ms))
    return any(first <= end and last >= start for start, end in speech)
