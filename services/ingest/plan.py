"""From what a job asks for and what is up to a plan of engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.runtime.errors import EngineUnusableError
from services.runtime.roster import EngineStatus
from voxmesh_schemas import (
    ENGINE_STAGES,
    OFF,
    JobOptions,
    Notice,
    Plan,
    PlannedEngine,
    Priority,
    Stage,
)

Roster = Mapping[Stage, Sequence[EngineStatus]]
"""The engines of every stage, in order of preference."""


def resolve(options: JobOptions, roster: Roster, priority: Priority = Priority.NORMAL) -> Plan:
    """The engines that are to hear every chunk of a job, and why.

    Raises:
        EngineUnusableError: when an engine that was asked for cannot work, or none can transcribe.
    """
    planned: list[PlannedEngine] = []
    notices: list[Notice] = []
    for stage in ENGINE_STAGES:
        wanted = options.engines.get(stage, ())
        if OFF in wanted:
            continue
        if wanted:
            planned += [_asked_for(stage, name, roster[stage]) for name in dict.fromkeys(wanted)]
        elif best := _best(stage, roster[stage]):
            planned.append(best)
        else:
            notices.append(_missing(stage, roster[stage]))
    return Plan(
        engines=tuple(planned),
        language=options.language,
        min_speakers=options.min_speakers,
        max_speakers=options.max_speakers,
        priority=priority,
        fresh=options.fresh,
        notices=tuple(notices),
    )


def _asked_for(stage: Stage, name: str, engines: Sequence[EngineStatus]) -> PlannedEngine:
    status = next((engine for engine in engines if engine.name == name), None)
    if status is None:
        known = ", ".join(engine.name for engine in engines) or "none"
        raise EngineUnusableError(f"no {stage} engine is called {name!r}; there are: {known}")
    if not status.usable:
        raise EngineUnusableError(
            f"the {stage} engine {name} cannot be used: {status.reason}. {status.remedy}".strip()
        )
    told = f"; it sends audio to {status.sends_audio_to}" if status.sends_audio_to else ""
    return PlannedEngine(stage=stage, engine=name, model=status.model, reason=f"asked for{told}")


def _best(stage: Stage, engines: Sequence[EngineStatus]) -> PlannedEngine | None:
    # Nobody's audio goes anywhere, at anybody's cost, that was not asked for.
    local = [status for status in engines if not status.sends_audio_to]
    for rank, status in enumerate(local):
        if status.usable:
            passed_over = "; ".join(f"{e.name} is not: {e.reason}" for e in local[:rank])
            reason = f"the first that is usable here ({passed_over})" if passed_over else "the best"
            return PlannedEngine(stage=stage, engine=status.name, model=status.model, reason=reason)
    return None


def _missing(stage: Stage, engines: Sequence[EngineStatus]) -> Notice:
    reasons = "; ".join(f"{e.name}: {_why_not(e)}" for e in engines) or "none is installed"
    if stage is Stage.TRANSCRIBE:
        raise EngineUnusableError(f"no engine can transcribe here ({reasons})")
    return Notice(code="no-engine", message=f"No engine was usable for {stage} ({reasons}).")


def _why_not(status: EngineStatus) -> str:
    if status.usable:
        return f"sends audio to {status.sends_audio_to}, so it has to be asked for by name"
    return status.reason
