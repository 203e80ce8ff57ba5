"""TranscriptMerged in; SubtitlesRendered for every file, then JobCompleted, out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from services.runtime.artifacts import Artifacts
from services.runtime.client import keep_outcome
from services.runtime.errors import VoxmeshError
from services.subtitles.render import FILE_NAMES, MEDIA_TYPES, render
from voxmesh_schemas import (
    Event,
    JobCompleted,
    JobFailed,
    Output,
    Stage,
    SubtitlesRendered,
    Transcript,
    TranscriptMerged,
)


@dataclass(frozen=True)
class SubtitlesHandler:
    """Writes the files that a job asks for."""

    artifacts: Artifacts

    async def on_transcript_merged(self, event: TranscriptMerged) -> AsyncIterator[Event]:
        """Render each format, and end the job when all are stored."""
        transcript = Transcript.model_validate_json(await self.artifacts.get(event.artifact))
        language = transcript.language or "und"
        outputs: list[Output] = []
        for form in event.options.formats:
            data = await asyncio.to_thread(render, transcript, form)
            path = f"jobs/{event.job_id}/outputs/{FILE_NAMES[form]}"
            artifact = await self.artifacts.put(path, data, MEDIA_TYPES[form])
            output = Output(
                name=FILE_NAMES[form], language=language, format=form, artifact=artifact
            )
            outputs.append(output)
            yield SubtitlesRendered(
                job_id=event.job_id, language=language, format=form, artifact=artifact
            )
        completed = JobCompleted(
            job_id=event.job_id,
            outputs=tuple(outputs),
            transcript=event.artifact,
            engines=event.engines,
            warnings=transcript.warnings,
        )
        await keep_outcome(self.artifacts, completed)
        yield completed


def on_failure(event: Event, error: VoxmeshError) -> Iterator[Event]:
    """A job whose captions cannot be written has failed."""
    yield JobFailed(job_id=event.job_id, stage=Stage.SUBTITLES, reason=str(error))
