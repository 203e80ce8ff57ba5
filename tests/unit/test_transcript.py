"""The Transcript, put together."""

from collections.abc import Sequence

from services.merge.transcript import ChunkResults, assemble
from voxmesh_schemas import (
    ArtifactRef,
    Chunk,
    Diarization,
    Emotion,
    EmotionTrack,
    EmotionWindow,
    HypothesisWord,
    MediaFacts,
    Notice,
    Plan,
    Prosody,
    Transcript,
    Turn,
)

ARTIFACT = ArtifactRef(uri="a", sha256="0" * 64, size=1, media_type="audio/wav")
MEDIA = MediaFacts(name="talk.wav", duration_ms=60_000)
LOST = Notice(code="lost-chunk", message="Ten seconds are lost.", start_ms=0, end_ms=10_000)


def merged(
    words: dict[int, list[HypothesisWord]],
    chunks: Sequence[ChunkResults] = (),
    *,
    plan: Plan | None = None,
    notices: Sequence[Notice] = (),
) -> Transcript:
    return assemble(
        job_id="job",
        created_at="2026-01-01T00:00:00Z",
        media=MEDIA,
        plan=plan or Plan(engines=()),
        words=words,
        chunks=chunks,
        notices=notices,
    )


def words(start_ms: int, text: str, language: str | None = None) -> list[HypothesisWord]:
    """Half a second each, without pauses."""
    return [
        HypothesisWord(
            start_ms=start_ms + 500 * n, end_ms=start_ms + 500 * (n + 1), text=t, language=language
        )
        for n, t in enumerate(text.split())
    ]


def chunk(index: int, start_ms: int, end_ms: int, channel: int = 0) -> Chunk:
    return Chunk(start_ms=start_ms, end_ms=end_ms, index=index, channel=channel, artifact=ARTIFACT)


def diarization(*turns: tuple[int, int, str], **embeddings: tuple[float, ...]) -> Diarization:
    return Diarization(
        engine="d",
        model="1",
        turns=tuple(Turn(start_ms=s, end_ms=e, speaker=name) for s, e, name in turns),
        embeddings=embeddings,
    )


def track(modality: str, *windows: EmotionWindow) -> EmotionTrack:
    return EmotionTrack.model_validate(
        {"engine": "e", "model": "1", "modality": modality, "windows": windows}
    )


def sure(start_ms: int, end_ms: int, emotion: Emotion) -> EmotionWindow:
    return EmotionWindow(start_ms=start_ms, end_ms=end_ms, probabilities={emotion: 1.0})


def conversation() -> tuple[dict[int, list[HypothesisWord]], list[ChunkResults]]:
    """Two chunks that overlap from 8 to 10 s, in which Y coughs, A speaks, then B, then A."""
    said = words(1000, "I am so glad to see you.") + words(6000, "I am not.")
    said += words(11_000, "What is it now?")
    first = diarization(
        (0, 600, "y"), (1000, 4500, "a"), (6000, 7500, "b"), y=(0, 0, 1), a=(1, 0, 0), b=(0, 1, 0)
    )
    second = diarization((3000, 5000, "only"), only=(0.98, 0.199, 0))
    return {0: said}, [
        ChunkResults(
            chunk(0, 0, 10_000),
            first,
            (track("audio", sure(0, 5000, Emotion.HAPPY), sure(5000, 10_000, Emotion.ANGRY)),),
        ),
        ChunkResults(
            chunk(1, 8000, 20_000), second, (track("text", sure(3000, 5000, Emotion.SURPRISED)),)
        ),
    ]


def test_it_says_who_said_what_and_how() -> None:
    said, chunks = conversation()
    transcript = merged(said, chunks)
    assert [(u.speaker, u.text, u.emotion and u.emotion.label) for u in transcript.utterances] == [
        ("S1", "I am so glad to see you.", Emotion.HAPPY),
        ("S2", "I am not.", Emotion.ANGRY),
        ("S1", "What is it now?", Emotion.SURPRISED),
    ]
    assert transcript.warnings == ()


def test_speakers_are_counted_and_one_without_words_takes_no_number() -> None:
    said, chunks = conversation()
    assert [(s.label, s.name, s.speech_ms, s.words) for s in merged(said, chunks).speakers] == [
        ("S1", "Speaker 1", 3500 + 2000, 11),
        ("S2", "Speaker 2", 1500, 3),
    ]


def test_the_order_of_chunks_changes_nothing() -> None:
    said, chunks = conversation()
    assert merged(said, chunks[::-1]).model_dump_json() == merged(said, chunks).model_dump_json()


def test_no_words_are_a_warning_after_those_of_the_caller() -> None:
    transcript = merged({0: []}, notices=[LOST])
    assert [notice.code for notice in transcript.warnings] == ["lost-chunk", "no-speech"]
    assert transcript.utterances == transcript.speakers == ()


def test_without_diarization_nobody_is_named() -> None:
    transcript = merged({0: words(0, "Hello there.")})
    assert [u.speaker for u in transcript.utterances] == [None]
    assert transcript.speakers == ()


def test_without_diarization_each_channel_is_a_speaker_when_they_are_apart() -> None:
    transcript = merged({0: words(5000, "Fine."), 1: words(1000, "How are you?"), 2: []})
    assert [(u.channel, u.speaker, u.text) for u in transcript.utterances] == [
        (1, "S1", "How are you?"),
        (0, "S2", "Fine."),
    ]


def test_a_lost_diarization_leaves_its_words_without_a_speaker() -> None:
    said, chunks = conversation()
    transcript = merged(said, [chunks[0], ChunkResults(chunks[1].chunk)])
    assert [u.speaker for u in transcript.utterances] == ["S1", "S2", None]


def test_the_language_is_that_of_most_words() -> None:
    said = words(0, "one two three", "en") + words(3000, "quatre cinq six sept", "fr")
    transcript = merged({0: said})
    assert transcript.language == "fr"
    assert merged({0: words(0, "eins")}, plan=Plan(engines=(), language="de")).language == "de"
    assert merged({0: words(0, "eins")}).language is None


def test_prosody_is_judged_over_all_chunks_against_the_speaker_s_own_baseline() -> None:
    def spoken(pitch_st: float, loudness_db: float, range_st: float = 5.0) -> EmotionTrack:
        prosody = Prosody(
            pitch_st=pitch_st, pitch_range_st=range_st, loudness_db=loudness_db, voiced=0.7
        )
        return track("audio", EmotionWindow(start_ms=0, end_ms=1000, prosody=prosody))

    usual = [
        ChunkResults(chunk(n, 1000 * n, 1000 * n + 1000), None, (spoken(20, -25),))
        for n in range(30)
    ]
    loud = ChunkResults(chunk(30, 31_000, 32_000), None, (spoken(30, -10, 15.0),))
    said = words(0, " ".join(["word"] * 59)) + words(31_000, "Out now!")
    calm, *_, last = merged({0: said}, [*usual, loud]).utterances
    assert calm.emotion is not None
    assert calm.emotion.label is Emotion.NEUTRAL
    assert last.emotion is None or last.emotion.label is not Emotion.NEUTRAL
