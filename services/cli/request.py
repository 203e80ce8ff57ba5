"""From what was typed to a job's options and sources."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from services.runtime.errors import BadInputError
from voxmesh_schemas import ENGINE_STAGES, JobOptions, OutputFormat, Source, Stage, SubtitleOptions


def job_options(
    engines: Iterable[str],
    language: str | None,
    min_speakers: int | None,
    max_speakers: int | None,
    channels: str,
    formats: str,
    *,
    captions: SubtitleOptions | None = None,
    fresh: bool = False,
    deadline_s: int | None = None,
) -> JobOptions:
    """The options of a job.

    Raises:
        BadInputError: when they make no sense, alone or together.
    """
    try:
        return JobOptions(
            language=language,
            engines=engine_choice(engines),
            min_speakers=min_speakers,
            max_speakers=max_speakers,
            channels=channels,  # type: ignore[arg-type]  # checked by the model
            formats=output_formats(formats),
            subtitles=captions or SubtitleOptions(),
            fresh=fresh,
            deadline_s=deadline_s,
        )
    except ValidationError as error:
        message = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise BadInputError(message) from error


def engine_choice(texts: Iterable[str]) -> dict[Stage, tuple[str, ...]]:
    """Engines by stage from `stage=name,name` texts; several stages may stand in one, by spaces."""
    chosen: dict[Stage, tuple[str, ...]] = {}
    for text in (part for joined in texts for part in joined.split()):
        stage, equals, names = text.partition("=")
        if not equals or stage not in set(ENGINE_STAGES):
            stages = ", ".join(ENGINE_STAGES)
            raise BadInputError(f"--engines {text!r} is not STAGE=NAME with a stage of: {stages}")
        if stage in chosen:
            raise BadInputError(f"--engines names {stage} twice: join the names with commas")
        chosen[Stage(stage)] = tuple(names.split(","))
    return chosen


def output_formats(text: str) -> tuple[OutputFormat, ...]:
    """Formats from a comma-separated list."""
    try:
        return tuple(dict.fromkeys(OutputFormat(name.strip()) for name in text.split(",")))
    except ValueError as error:
        known = ", ".join(OutputFormat)
        raise BadInputError(f"--format {text!r} holds something that is not of: {known}") from error


def local_path(source: str) -> Path | None:
    """The file that a source names, or None when it is an address."""
    if re.match(r"^[a-z][a-z0-9+.-]*://", source, re.IGNORECASE):
        return None
    return Path(source).expanduser()


def as_source(text: str) -> Source:
    """A source as the mesh on this machine takes it."""
    path = local_path(text)
    return Source(uri=text) if path is None else Source(uri=str(path.absolute()), name=path.name)


def folder_names(names: Iterable[str]) -> list[str]:
    """A safe folder name for each source, all different."""
    taken: dict[str, int] = {}
    folders = []
    for name in names:
        plain = re.sub(r"[^\w.-]+", "-", name.rsplit("/", 1)[-1]).strip("-.") or "recording"
        taken[plain] = taken.get(plain, 0) + 1
        folders.append(plain if taken[plain] == 1 else f"{plain}-{taken[plain]}")
    return folders
