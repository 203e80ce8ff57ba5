"""Live progress per stage: bars on a terminal, lines elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from voxmesh_schemas import AudioIngested, Event, JobProgressed, SubtitlesRendered, TranscriptMerged

STEPS = ("ingest", "transcribe", "diarize", "emotion-audio", "emotion-text", "merge", "subtitles")


class JobBars:
    """Shows the events of jobs as they come. `names` are the jobs' names by id."""

    def __init__(self, console: Console, names: dict[str, str]) -> None:
        self._console = console
        self._names = names
        self._bars: dict[tuple[str, str], TaskID] = {}
        self._told: set[tuple[str, str]] = set()
        self._progress = Progress(
            TextColumn("{task.description:>16}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case JobProgressed():
                self._step(event.job_id, event.stage.value, event.done, event.total)
            case AudioIngested():
                for planned in event.plan.engines:
                    total = len(event.chunks) * len(event.plan.of(planned.stage))
                    self._step(event.job_id, planned.stage.value, None, total)
            case TranscriptMerged():
                self._step(event.job_id, "merge", 1, 1)
            case SubtitlesRendered():
                self._step(event.job_id, "subtitles", None, None)

    def _step(self, job_id: str, step: str, done: int | None, total: int | None) -> None:
        key = (job_id, step)
        if key not in self._bars:
            self._bars[key] = self._progress.add_task(self._label(key), total=total, state="")
        bar = self._bars[key]
        if total is not None:
            self._progress.update(bar, total=total)
        if done is not None:
            self._progress.update(bar, completed=done, state=_state(step, done, total))
            if done == total and key not in self._told:
                self._told.add(key)
                if not self._console.is_terminal:
                    self._console.print(f"{self._label(key)}: {_state(step, done, total)}")

    def _label(self, key: tuple[str, str]) -> str:
        job_id, step = key
        return step if len(self._names) == 1 else f"{self._names[job_id]} {step}"


def _state(step: str, done: int, total: int | None) -> str:
    if step == "ingest":
        return f"{clock(done)} of audio"
    return f"{done}/{total}" if total else str(done)


def clock(ms: int) -> str:
    """Milliseconds as H:MM:SS or M:SS."""
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
