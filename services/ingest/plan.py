"""From what a job asks for and what is up to a plan of engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.runtime.breaker import BreakerState
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

OPEN = BreakerState.OPEN

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
    # One whose circuit breaker is open everywhere comes last: it fails now, but may not for long.
    resting = [status for status in local if status.breaker == OPEN]
    for rank, status in enumerate(ordered := [s for s in local if s not in resting] + resting):
        if status.usable:
            before = [*ordered[:rank], *(s for s in resting if s.usable and status not in resting)]
            passed_over = "; ".join(f"{e.name} is not: {_why_not(e)}" for e in before)
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
        if status.breaker == OPEN:
            return "it has failed several times in a row and rests"
        return f"sends audio to {status.sends_audio_to}, so it has to be asked for by name"
    return status.reason
