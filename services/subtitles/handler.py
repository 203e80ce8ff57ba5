"""TranscriptMerged in; SubtitlesRendered for every file, then JobCompleted, out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from services.runtime.artifacts import Artifacts
from services.runtime.client import keep_outcome
from services.runtime.errors import BadInputError, VoxmeshError
from services.subtitles.captions import Captions
from services.subtitles.render import FILE_NAMES, MEDIA_TYPES, render
from voxmesh_schemas import (
    Event,
    JobCompleted,
    JobFailed,
    Notice,
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
        """Render each format, and end the job when all are stored.

        Raises:
            BadInputError: when the options make no sense, or no format can hold what was said.
        """
        transcript = Transcript.model_validate_json(await self.artifacts.get(event.artifact))
        language = transcript.language or "und"
        captions = Captions(transcript, event.options.subtitles)
        outputs: list[Output] = []
        warnings = list(transcript.warnings)
        for form in event.options.formats:
            try:
                data = await asyncio.to_thread(render, captions, form)
            except BadInputError as error:
                warnings.append(Notice(code="lost-format", message=f"no {form}: {error}"))
                continue
            path = f"{_folder(event)}/{FILE_NAMES[form]}"
            artifact = await self.artifacts.put(path, data, MEDIA_TYPES[form])
            output = Output(
                name=FILE_NAMES[form], language=language, format=form, artifact=artifact
            )
            outputs.append(output)
            yield SubtitlesRendered(
                job_id=event.job_id,
                language=language,
                format=form,
                artifact=artifact,
                revision=event.revision,
            )
        if not outputs:
            raise BadInputError(warnings[-1].message)
        completed = JobCompleted(
            job_id=event.job_id,
            outputs=tuple(outputs),
            transcript=event.artifact,
            engines=event.engines,
            warnings=tuple(warnings),
            revision=event.revision,
        )
        await keep_outcome(self.artifacts, completed)
        yield completed


def _folder(event: TranscriptMerged) -> str:
    """Where the files go: those of an earlier revision stay as they were told."""
    folder = f"jobs/{event.job_id}/outputs"
    return folder if event.revision == 1 else f"{folder}/revision-{event.revision}"


def on_failure(event: Event, error: VoxmeshError) -> Iterator[Event]:
    """A job whose captions cannot be written has failed."""
    yield JobFailed(
        job_id=event.job_id,
        stage=Stage.SUBTITLES,
        reason=str(error),
        bad_input=isinstance(error, BadInputError),
    )
