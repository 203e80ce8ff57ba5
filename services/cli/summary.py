"""What a job left, for people and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.exits import BAD_INPUT, FAILURE, SUCCESS, WITH_WARNINGS
from services.cli.progress import clock
from voxmesh_schemas import EngineUse, JobCompleted, JobFailed, Transcript

FIRST_CUES = 4


@dataclass(frozen=True)
class JobReport:
    """How one job ended."""

    name: str
    outcome: JobCompleted | JobFailed
    wall_ms: int
    files: Sequence[Path] = ()
    transcript: Transcript | None = None

    @property
    def code(self) -> int:
        """Exit code that says how it ended."""
        if isinstance(self.outcome, JobFailed):
            return BAD_INPUT if self.outcome.bad_input else FAILURE
        return WITH_WARNINGS if self.outcome.warnings else SUCCESS

    @property
    def real_time_factor(self) -> float | None:
        """Wall time per time of audio."""
        if not self.transcript or not self.transcript.media.duration_ms:
            return None
        return self.wall_ms / self.transcript.media.duration_ms


def worst(reports: Sequence[JobReport]) -> int:
    """One exit code for several jobs: failure before bad input before warnings."""
    codes = {report.code for report in reports}
    return next((code for code in (FAILURE, BAD_INPUT, WITH_WARNINGS) if code in codes), SUCCESS)


def print_json(reports: Sequence[JobReport]) -> None:
    """Write the summary that programs read to standard output."""
    json.dump({"jobs": [_record(report) for report in reports]}, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _record(report: JobReport) -> dict[str, Any]:
    outcome = report.outcome
    record: dict[str, Any] = {
        "source": report.name,
        "job_id": outcome.job_id,
        "status": {SUCCESS: "completed", WITH_WARNINGS: "completed with warnings"}.get(
            report.code, "failed"
        ),
        "wall_ms": report.wall_ms,
    }
    if isinstance(outcome, JobFailed):
        return record | {
            "reason": outcome.reason,
            "stage": outcome.stage.value,
            "bad_input": outcome.bad_input,
        }
    duration_ms = report.transcript.media.duration_ms if report.transcript else None
    return record | {
        "duration_ms": duration_ms,
        "real_time_factor": report.real_time_factor,
        "files": [str(path) for path in report.files],
        "engines": [use.model_dump(mode="json") for use in outcome.engines],
        "warnings": [notice.model_dump(mode="json") for notice in outcome.warnings],
    }


def print_report(console: Console, report: JobReport) -> None:
    """Tell a person how a job ended."""
    if isinstance(report.outcome, JobFailed):
        console.print(f"{report.name}: failed: {report.outcome.reason}", style="red", markup=False)
        return
    console.print()
    engines = Table.grid(padding=(0, 2))
    for use in report.outcome.engines:
        engines.add_row(Text(use.stage, style="bold"), Text(_engine_line(use)))
    console.print(engines)
    for notice in report.outcome.warnings:
        console.print(f"warning: {notice.message}", style="yellow", markup=False)
    _print_first_cues(console, report)
    _print_result(console, report)


def _engine_line(use: EngineUse) -> str:
    model = f" ({use.model})" if use.model else ""
    found = f", {use.reused} of {use.chunks} chunks reused from before" if use.reused else ""
    lost = f", lost for {use.failed} chunks" if use.failed else ""
    pace = f", {use.compute_ms / use.audio_ms:.2f} x real time" if use.audio_ms else ""
    return f"{use.engine}{model}: {use.reason}{pace}{found}{lost}"


def _print_first_cues(console: Console, report: JobReport) -> None:
    captions = next((path for path in report.files if path.suffix == ".srt"), None)
    if captions is None:
        return
    cues = captions.read_text(encoding="utf-8").split("\n\n")[:FIRST_CUES]
    console.print()
    for cue in cues:
        console.print(cue.strip(), markup=False, highlight=False)
        console.print()


def _print_result(console: Console, report: JobReport) -> None:
    factor = report.real_time_factor
    if report.transcript and factor is not None:
        speakers = len(report.transcript.speakers)
        words = sum(len(utterance.words) for utterance in report.transcript.utterances)
        console.print(
            f"{report.name}: {clock(report.transcript.media.duration_ms)} of audio, {words} words, "
            f"{speakers} speaker{'' if speakers == 1 else 's'}, in {report.wall_ms / 1000:.1f} s "
            f"(real-time factor {factor:.2f})",
            markup=False,
        )
    for path in report.files:
        console.print(f"  {path}", markup=False, highlight=False)
