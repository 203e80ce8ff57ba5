"""One plausible example of every record."""

from __future__ import annotations

from pydantic import BaseModel

from voxmesh_schemas import (
    ArtifactRef,
    AudioChunked,
    AudioIngested,
    Chunk,
    DeadLetter,
    Diarization,
    Emotion,
    EmotionsDetected,
    EmotionTrack,
    EmotionWindow,
    EngineUse,
    Hypothesis,
    HypothesisWord,
    JobCancelled,
    JobCompleted,
    JobFailed,
    JobOptions,
    JobProgressed,
    JobRequested,
    MediaFacts,
    Notice,
    Output,
    OutputFormat,
    Plan,
    PlannedEngine,
    Prosody,
    Source,
    Speaker,
    SpeakersDiarized,
    SpeechTranscribed,
    Stage,
    StageFailed,
    SubtitlesRendered,
    Transcript,
    TranscriptMerged,
    Turn,
    Utterance,
    UtteranceEmotion,
    Word,
)

JOB = "job-1"
ARTIFACT = ArtifactRef(
    uri="file:///store/results/x.json", sha256="0" * 64, size=12, media_type="application/json"
)
CHUNK = Chunk(index=3, start_ms=60_000, end_ms=85_000, overlap_ms=2_000, artifact=ARTIFACT)
OPTIONS = JobOptions(
    language="en-GB",
    engines={Stage.TRANSCRIBE: ("pocketsphinx",), Stage.EMOTION_TEXT: ("none",)},
    max_speakers=4,
)
NOTICE = Notice(code="lost-chunk", message="Nothing was heard.", start_ms=0, end_ms=900)
PLAN = Plan(
    engines=(
        PlannedEngine(stage=Stage.TRANSCRIBE, engine="pocketsphinx", reason="it is bundled"),
        PlannedEngine(stage=Stage.DIARIZE, engine="acoustic", model="1", reason="it is bundled"),
    ),
    language="en-GB",
    notices=(NOTICE,),
)
MEDIA = MediaFacts(
    name="talk.mp4", duration_ms=85_000, container="mp4", frame_rate="30000/1001", channels=2
)
USE = EngineUse(
    stage=Stage.TRANSCRIBE,
    engine="pocketsphinx",
    chunks=4,
    reused=1,
    failed=0,
    audio_ms=75_000,
    compute_ms=9_000,
)

EXAMPLES: tuple[BaseModel, ...] = (
    JobRequested(job_id=JOB, source=Source(uri="/media/talk.mp4"), options=OPTIONS),
    JobCancelled(job_id=JOB),
    AudioChunked(job_id=JOB, chunk=CHUNK, plan=PLAN),
    AudioIngested(job_id=JOB, media=MEDIA, chunks=(CHUNK,), plan=PLAN, options=OPTIONS),
    SpeechTranscribed(
        job_id=JOB,
        chunk=CHUNK,
        engine="pocketsphinx",
        artifact=ARTIFACT,
        compute_ms=2_100,
        plan=PLAN,
    ),
    SpeakersDiarized(
        job_id=JOB, chunk=CHUNK, engine="acoustic", artifact=ARTIFACT, compute_ms=0, reused=True
    ),
    EmotionsDetected(
        job_id=JOB,
        chunk=CHUNK,
        engine="prosody",
        artifact=ARTIFACT,
        compute_ms=300,
        modality=Stage.EMOTION_AUDIO,
    ),
    StageFailed(
        job_id=JOB, stage=Stage.DIARIZE, engine="acoustic", chunk_index=3, reason="It broke."
    ),
    TranscriptMerged(job_id=JOB, artifact=ARTIFACT, options=OPTIONS, engines=(USE,)),
    SubtitlesRendered(job_id=JOB, language="en", format=OutputFormat.VTT, artifact=ARTIFACT),
    JobProgressed(job_id=JOB, stage=Stage.INGEST, done=60_000, total=85_000),
    JobCompleted(
        job_id=JOB,
        outputs=(
            Output(name="talk.vtt", language="en", format=OutputFormat.VTT, artifact=ARTIFACT),
        ),
        transcript=ARTIFACT,
        engines=(USE,),
        warnings=(NOTICE,),
    ),
    JobFailed(job_id=JOB, stage=Stage.INGEST, reason="There is no such file.", bad_input=True),
    DeadLetter(
        original_topic="audio.chunked",
        original_key="job-1:3",
        headers={"ce_specversion": "1.0"},
        body_base64="e30=",
        group="transcribe",
        error="It broke.",
        attempts=4,
    ),
    Hypothesis(
        engine="pocketsphinx",
        model="en-us",
        language="en",
        words=(HypothesisWord(start_ms=10, end_ms=250, text="Hello,", confidence=0.9),),
    ),
    Diarization(
        engine="acoustic",
        model="1",
        turns=(Turn(start_ms=0, end_ms=900, speaker="A"),),
        embeddings={"A": (0.6, 0.8)},
    ),
    EmotionTrack(
        engine="prosody",
        model="1",
        modality="audio",
        windows=(
            EmotionWindow(start_ms=0, end_ms=3_000),
            EmotionWindow(
                start_ms=2_500,
                end_ms=5_500,
                probabilities={Emotion.HAPPY: 0.75, Emotion.SAD: 0.25},
                prosody=Prosody(pitch_st=12.5, pitch_range_st=4, loudness_db=-21, voiced=0.6),
            ),
        ),
    ),
    Transcript(
        job_id=JOB,
        created_at="2026-01-31T12:00:00Z",
        media=MEDIA,
        plan=PLAN,
        language="en",
        speakers=(Speaker(label="S1", name="Speaker 1", speech_ms=240, words=1),),
        utterances=(
            Utterance(
                start_ms=10,
                end_ms=250,
                speaker="S1",
                text="Hello,",
                words=(Word(start_ms=10, end_ms=250, text="Hello,", confidence=0.9),),
                emotion=UtteranceEmotion(
                    label=Emotion.HAPPY,
                    confidence=0.7,
                    probabilities={Emotion.HAPPY: 0.7, Emotion.NEUTRAL: 0.3},
                    modalities=("audio", "text"),
                ),
            ),
        ),
        warnings=(NOTICE,),
    ),
    OPTIONS,
)
