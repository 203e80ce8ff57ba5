"""Transcripts for the tests of captions: written by hand, and drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from voxmesh_schemas import (
    Emotion,
    MediaFacts,
    Notice,
    Plan,
    PlannedEngine,
    Speaker,
    Stage,
    Transcript,
    Utterance,
    UtteranceEmotion,
    Word,
)

DAY_MS = 24 * 3600 * 1000
PLAN = Plan(
    engines=(PlannedEngine(stage=Stage.TRANSCRIBE, engine="fake", model="1", reason="a test"),)
)


def feeling(label: Emotion, confidence: float) -> UtteranceEmotion:
    """An emotion; what the label leaves is shared by the others."""
    rest = (1 - confidence) / (len(Emotion) - 1)
    return UtteranceEmotion(
        label=label,
        confidence=confidence,
        probabilities={one: confidence if one is label else rest for one in Emotion},
        modalities=("audio", "text"),
    )


def said(
    text: str,
    start_ms: int = 0,
    *,
    speaker: str | None = "S1",
    word_ms: int = 400,
    emotion: UtteranceEmotion | None = None,
    language: str | None = "en",
) -> Utterance:
    """An utterance whose words follow each other, each `word_ms` long."""
    texts = text.split()
    words = tuple(
        Word(text=word, start_ms=start_ms + word_ms * at, end_ms=start_ms + word_ms * (at + 1))
        for at, word in enumerate(texts)
    )
    return Utterance(
        start_ms=start_ms,
        end_ms=words[-1].end_ms,
        speaker=speaker,
        language=language,
        text=text,
        words=words,
        emotion=emotion,
    )


def transcript(
    *utterances: Utterance,
    names: Sequence[str] = ("Anna", "Mark"),
    title: str = "A talk",
    frame_rate: str | None = None,
    warnings: tuple[Notice, ...] = (),
) -> Transcript:
    """A transcript of utterances; names go to S1, S2, … in turn."""
    ends = (word.end_ms for utterance in utterances for word in utterance.words)
    return Transcript(
        job_id="job-1",
        created_at="2026-01-02T03:04:05Z",
        media=MediaFacts(name=title, duration_ms=max(ends, default=0), frame_rate=frame_rate),
        plan=PLAN,
        language="en",
        speakers=tuple(
            Speaker(label=f"S{at}", name=name, speech_ms=0, words=0)
            for at, name in enumerate(names, start=1)
        ),
        utterances=utterances,
        warnings=warnings,
    )


_NASTY = (
    "-->",
    "00:00:01.000 --> 00:00:02.000",
    "&amp;",
    "&",
    "<b>",
    "</v>",
    "a\n\nb",
    "a\r\nb",
    "\u2028",
    "\u202ereversed",
    "\x00",
    "NOTE",
    "STYLE",
    "WEBVTT",
    "42",
    "{\\an8}",
    "| a |",
    "[x](y)",
    "日本語の字幕",
    "สวัสดีครับ",
    "👩‍👩‍👧‍👦",
    "e\u0301",
    "w" * 200,
    "字" * 90,
)
_texts = st.one_of(
    st.sampled_from(_NASTY),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
    st.text(alphabet="abcdefgh.,?!", min_size=1, max_size=9),
)
_times = st.one_of(st.integers(0, 20_000), st.integers(0, DAY_MS))
_words = st.builds(
    lambda text, start, length: Word(text=text, start_ms=start, end_ms=start + length),
    _texts,
    _times,
    st.sampled_from((0, 0, 1, 90, 300, 60_000)),
)


@st.composite
def _utterances(draw: st.DrawFn) -> Utterance:
    words = tuple(draw(st.lists(_words, min_size=1, max_size=9)))
    return Utterance(
        start_ms=min(word.start_ms for word in words),
        end_ms=max(word.end_ms for word in words),
        speaker=draw(st.sampled_from((None, "S1", "S2", "S3", "stranger"))),
        channel=draw(st.sampled_from((0, 0, 1))),
        language=draw(st.sampled_from((None, "en", "de-DE", "ja", "xx"))),
        text=" ".join(word.text for word in words),
        words=words,
        emotion=draw(st.none() | st.builds(feeling, st.sampled_from(Emotion), st.floats(0.2, 1))),
    )


@st.composite
def any_transcript(draw: st.DrawFn) -> Transcript:
    """Any transcript the contract allows: any text, times in any order, up to a day long."""
    utterances = draw(st.lists(_utterances(), max_size=5))
    utterances.sort(key=lambda utterance: utterance.start_ms)
    messages = draw(st.lists(_texts, max_size=2))
    return transcript(
        *utterances,
        names=draw(st.lists(_texts | st.just(""), min_size=3, max_size=3)),
        title=draw(_texts),
        frame_rate=draw(st.sampled_from((None, "25/1", "30000/1001", "90000/1", "0/0"))),
        warnings=tuple(Notice(code="lost-chunk", message=text) for text in messages),
    )
