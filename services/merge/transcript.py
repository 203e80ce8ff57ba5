"""The Transcript, put together from what all engines said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.merge.attribution import attribute_words
from services.merge.fusion import fuse_emotions
from services.merge.linking import link_speakers
from services.merge.prosody import judge_prosody
from services.merge.utterances import cut_utterances, most_spoken
from voxmesh_schemas import (
    Chunk,
    Diarization,
    EmotionTrack,
    EmotionWindow,
    HypothesisWord,
    MediaFacts,
    Notice,
    Plan,
    Speaker,
    Transcript,
    Turn,
    Utterance,
)

NO_SPEECH = Notice(code="no-speech", message="No speech was found in the recording.")


@dataclass(frozen=True)
class ChunkResults:
    """What the engines beside the recognisers said of one chunk, times from the chunk's start."""

    chunk: Chunk
    diarization: Diarization | None = None
    emotion: tuple[EmotionTrack, ...] = ()


def assemble(
    *,
    job_id: str,
    created_at: str,
    media: MediaFacts,
    plan: Plan,
    words: Mapping[int, Sequence[HypothesisWord]],
    chunks: Sequence[ChunkResults],
    notices: Sequence[Notice] = (),
) -> Transcript:
    """The Transcript of a job.

    `words` are those of each channel on the job's timeline, in order of start. Without any
    diarization nobody knows who speaks, except where channels are kept apart: then each channel is
    a speaker. The same input, chunks in any order, gives the same Transcript.
    """
    turns = link_speakers(
        [(result.chunk, result.diarization) for result in chunks if result.diarization],
        min_speakers=plan.min_speakers,
        max_speakers=plan.max_speakers,
    )
    utterances: list[Utterance] = []
    for channel in sorted(words):
        speakers = _speakers(channel, words, turns)
        spoken = cut_utterances(words[channel], speakers, channel=channel, language=plan.language)
        utterances += _with_emotion(spoken, [r for r in chunks if r.chunk.channel == channel])
    utterances = _renumbered(sorted(utterances, key=lambda u: (u.start_ms, u.channel)))
    return Transcript(
        job_id=job_id,
        created_at=created_at,
        media=media,
        plan=plan,
        language=_language(utterances),
        speakers=_statistics(utterances),
        utterances=tuple(utterances),
        warnings=tuple(notices) + (() if utterances else (NO_SPEECH,)),
    )


def _speakers(
    channel: int,
    words: Mapping[int, Sequence[HypothesisWord]],
    turns: Mapping[int, Sequence[Turn]],
) -> Sequence[str | None]:
    """A speaker for each word of a channel."""
    if turns:
        return attribute_words(words[channel], turns.get(channel, ()))
    alone = f"channel {channel}" if len(words) > 1 else None
    return [alone] * len(words[channel])


def _with_emotion(
    utterances: Sequence[Utterance], results: Iterable[ChunkResults]
) -> list[Utterance]:
    """The utterances of one channel with what was heard in and read from its chunks."""
    ordered = sorted(results, key=lambda result: (result.chunk.start_ms, result.chunk.index))
    audio = judge_prosody(_windows(ordered, "audio"), utterances)
    text = _windows(ordered, "text")
    return [
        utterance.model_copy(update={"emotion": emotion})
        for utterance, emotion in zip(
            utterances, fuse_emotions(utterances, audio, text), strict=True
        )
    ]


def _windows(
    results: Iterable[ChunkResults], modality: Literal["audio", "text"]
) -> list[EmotionWindow]:
    """Windows of one modality on the job's timeline, in order of start."""
    windows = [
        window.model_copy(
            update={
                "start_ms": result.chunk.start_ms + window.start_ms,
                "end_ms": result.chunk.start_ms + window.end_ms,
            }
        )
        for result in results
        for track in result.emotion
        if track.modality == modality
        for window in track.windows
    ]
    return sorted(windows, key=lambda window: (window.start_ms, window.end_ms))


def _renumbered(utterances: Iterable[Utterance]) -> list[Utterance]:
    """Speakers as S1, S2, … in order of first utterance: a voice without words leaves no gap."""
    utterances = list(utterances)
    heard = dict.fromkeys(u.speaker for u in utterances if u.speaker is not None)
    labels = {speaker: f"S{number}" for number, speaker in enumerate(heard, start=1)}
    return [
        utterance.model_copy(update={"speaker": labels.get(utterance.speaker or "")})
        for utterance in utterances
    ]


def _statistics(utterances: Iterable[Utterance]) -> tuple[Speaker, ...]:
    spoken: dict[str, list[Utterance]] = {}
    for utterance in utterances:
        if utterance.speaker is not None:
            spoken.setdefault(utterance.speaker, []).append(utterance)
    return tuple(
        Speaker(
            label=label,
            name=f"Speaker {label.removeprefix('S')}",
            speech_ms=sum(utterance.duration_ms for utterance in own),
            words=sum(len(utterance.words) for utterance in own),
        )
        for label, own in spoken.items()
    )


def _language(utterances: Iterable[Utterance]) -> str | None:
    return most_spoken(utterance.language for utterance in utterances for _ in utterance.words)
