"""The merge of one job: vote per chunk, stitch the chunks, put all together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from services.merge.material import Material
from services.merge.slots import Receipt, Slot
from services.merge.stitching import ChunkWords, stitch
from services.merge.transcript import ChunkResults, assemble
from services.merge.voting import Member, VotedWord, vote_all
from voxmesh_schemas import (
    AudioIngested,
    Chunk,
    ChunkResult,
    EngineUse,
    Hypothesis,
    HypothesisWord,
    Notice,
    PlannedEngine,
    Stage,
    StageFailed,
    Transcript,
)


def merge(material: Material, *, created_at: str) -> Transcript:
    """The Transcript of a job, `created_at` a time of RFC 3339 in UTC."""
    manifest = material.manifest
    return assemble(
        job_id=manifest.job_id,
        created_at=created_at,
        media=manifest.media,
        plan=manifest.plan,
        words=_words(material),
        chunks=[_results(material, chunk) for chunk in manifest.chunks],
        notices=(*manifest.notices, *manifest.plan.notices, *_losses(material)),
    )


def _words(material: Material) -> dict[int, list[HypothesisWord]]:
    """The words of each channel on the job's timeline."""
    heard = [chunk for chunk in material.manifest.chunks if _members(material, chunk)]
    voted = vote_all([_members(material, chunk) for chunk in heard])
    pieces: dict[int, list[ChunkWords]] = {c.channel: [] for c in material.manifest.chunks}
    for chunk, words in zip(heard, voted, strict=True):
        plain = [_plain(word) for word in words]
        pieces[chunk.channel].append(ChunkWords(chunk.start_ms, chunk.end_ms, plain))
    return {channel: stitch(chunks) for channel, chunks in pieces.items()}


def _members(material: Material, chunk: Chunk) -> list[Member]:
    """What the recognisers heard in a chunk, in the plan's order, without those lost for it."""
    members = []
    for planned in material.manifest.plan.of(Stage.TRANSCRIBE):
        hypothesis = material.hypotheses.get(Slot(chunk.index, planned.stage, planned.engine))
        if hypothesis is not None:
            members.append(Member(hypothesis.engine, _in_language(hypothesis)))
    return members


def _in_language(hypothesis: Hypothesis) -> Sequence[HypothesisWord]:
    """The words, each with its language: once voted, they come from several hypotheses."""
    return [
        word
        if word.language or not hypothesis.language
        else word.model_copy(update={"language": hypothesis.language})
        for word in hypothesis.words
    ]


def _plain(word: VotedWord) -> HypothesisWord:
    return HypothesisWord(
        text=word.text,
        start_ms=word.start_ms,
        end_ms=word.end_ms,
        confidence=word.confidence,
        language=word.language,
    )


def _results(material: Material, chunk: Chunk) -> ChunkResults:
    plan = material.manifest.plan
    diarizations = (
        material.diarizations.get(Slot(chunk.index, planned.stage, planned.engine))
        for planned in plan.of(Stage.DIARIZE)
    )
    tracks = (
        material.emotions.get(Slot(chunk.index, planned.stage, planned.engine))
        for stage in (Stage.EMOTION_AUDIO, Stage.EMOTION_TEXT)
        for planned in plan.of(stage)
    )
    return ChunkResults(
        chunk=chunk,
        # The first that is there: the plan lists diarizers in order of preference.
        diarization=next((d for d in diarizations if d is not None), None),
        emotion=tuple(track for track in tracks if track is not None),
    )


def _losses(material: Material) -> Iterable[Notice]:
    """What is missing, chunk by chunk, for those who read the transcript."""
    for chunk in material.manifest.chunks:
        for stage, planned in groupby(material.manifest.plan.engines, lambda p: p.stage):
            slots = [Slot(chunk.index, p.stage, p.engine) for p in planned]
            lost = [material.losses[slot] for slot in slots if slot in material.losses]
            if lost:
                yield _notice(chunk, stage, lost, everything=len(lost) == len(slots))


_MISSING = {
    Stage.TRANSCRIBE: "words",
    Stage.DIARIZE: "speakers",
    Stage.EMOTION_AUDIO: "emotion in voices",
    Stage.EMOTION_TEXT: "emotion in words",
}


def _notice(chunk: Chunk, stage: Stage, lost: Sequence[StageFailed], *, everything: bool) -> Notice:
    reasons = "; ".join(dict.fromkeys(f"{loss.engine}: {loss.reason}" for loss in lost))
    missing = _MISSING[stage]
    message = f"No {missing} here ({reasons})." if everything else f"Fewer {missing}: {reasons}."
    code = "lost-chunk" if stage is Stage.TRANSCRIBE and everything else "lost-stage"
    return Notice(code=code, message=message, start_ms=chunk.start_ms, end_ms=chunk.end_ms)


def engine_uses(manifest: AudioIngested, receipts: Mapping[Slot, Receipt]) -> tuple[EngineUse, ...]:
    """What each engine of the plan did, in the plan's order."""
    return tuple(_use(planned, manifest, receipts) for planned in manifest.plan.engines)


def _use(
    planned: PlannedEngine, manifest: AudioIngested, receipts: Mapping[Slot, Receipt]
) -> EngineUse:
    own = [receipts[Slot(chunk.index, planned.stage, planned.engine)] for chunk in manifest.chunks]
    results = [receipt for receipt in own if isinstance(receipt, ChunkResult)]
    computed = [result for result in results if not result.reused]
    return EngineUse(
        stage=planned.stage,
        engine=planned.engine,
        model=planned.model,
        reason=planned.reason,
        chunks=len(results),
        reused=len(results) - len(computed),
        failed=len(own) - len(results),
        audio_ms=sum(result.chunk.duration_ms for result in computed),
        compute_ms=sum(result.compute_ms for result in computed),
    )
