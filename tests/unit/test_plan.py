"""From what a job asks for and what is up to a plan of engines."""

from __future__ import annotations

import pytest

from services.ingest.plan import resolve
from services.runtime.errors import EngineUnusableError
from services.runtime.roster import EngineStatus
from services.runtime.status import engine_statuses
from services.transcribe.engines import ENGINES
from services.transcribe.settings import TranscribeSettings
from voxmesh_schemas import ENGINE_STAGES, JobOptions, Plan, Stage

WHISPER = EngineStatus(name="faster-whisper", model="small", usable=True, reason="it is here")
NO_WHISPER = EngineStatus(
    name="faster-whisper", usable=False, reason="no model", remedy="fetch one"
)
SPHINX = EngineStatus(name="pocketsphinx", usable=True, reason="it is bundled")
NO_SPHINX = EngineStatus(name="pocketsphinx", usable=False, reason="not installed")
CLOUD = EngineStatus(
    name="deepgram", model="nova-3", usable=True, reason="all is set", sends_audio_to="Deepgram"
)
KEYLESS = EngineStatus(
    name="groq", usable=False, reason="no key", remedy="set one", sends_audio_to="Groq"
)


def planned(*engines: EngineStatus, wanted: tuple[str, ...] = ()) -> Plan:
    """The plan of a job when only these can transcribe, and no other stage has an engine."""
    options = JobOptions(engines={Stage.TRANSCRIBE: wanted} if wanted else {})
    roster = {stage: engines if stage is Stage.TRANSCRIBE else () for stage in ENGINE_STAGES}
    return resolve(options, roster)


def test_the_first_usable_engine_is_chosen_and_says_why() -> None:
    (engine,) = planned(NO_WHISPER, SPHINX, CLOUD).engines
    assert engine.engine == "pocketsphinx"
    assert engine.reason == "the first that is usable here (faster-whisper is not: no model)"


@pytest.mark.parametrize("engines", [(CLOUD, WHISPER), (WHISPER, CLOUD), (KEYLESS, CLOUD, WHISPER)])
def test_an_engine_that_sends_audio_away_is_never_chosen_by_itself(
    engines: tuple[EngineStatus, ...],
) -> None:
    (engine,) = planned(*engines).engines
    assert (engine.engine, engine.reason) == ("faster-whisper", "the best")


def test_not_even_when_no_other_can_work() -> None:
    with pytest.raises(EngineUnusableError) as raised:
        planned(NO_SPHINX, KEYLESS, CLOUD)
    assert "groq: no key" in str(raised.value)
    assert "deepgram: sends audio to Deepgram, so it has to be asked for by name" in str(
        raised.value
    )


def test_it_is_used_when_asked_for_and_the_plan_says_where_audio_goes() -> None:
    plan = planned(WHISPER, CLOUD, wanted=("deepgram", "faster-whisper"))
    assert [(engine.engine, engine.reason) for engine in plan.engines] == [
        ("deepgram", "asked for; it sends audio to Deepgram"),
        ("faster-whisper", "asked for"),
    ]


def test_an_engine_that_was_asked_for_and_cannot_work_fails_the_job() -> None:
    with pytest.raises(EngineUnusableError, match="groq cannot be used: no key"):
        planned(WHISPER, KEYLESS, wanted=("groq",))


def test_an_unknown_engine_is_answered_with_the_known_ones() -> None:
    with pytest.raises(EngineUnusableError, match="'whispr'; there are: faster-whisper, deepgram"):
        planned(WHISPER, CLOUD, wanted=("whispr",))


def test_a_stage_without_engines_is_a_notice() -> None:
    assert [notice.code for notice in planned(WHISPER).notices] == ["no-engine"] * 3


def test_engines_say_whether_they_send_audio_away() -> None:
    statuses = engine_statuses(ENGINES, TranscribeSettings())()
    local = [status.name for status in statuses if not status.sends_audio_to]
    assert local == ["faster-whisper", "pocketsphinx"]
    assert [status.name for status in statuses][:2] == local


def test_an_engine_whose_breaker_is_open_is_passed_over_while_there_is_another() -> None:
    resting = WHISPER.model_copy(update={"breaker": "open"})
    (engine,) = planned(resting, SPHINX).engines
    assert engine.engine == "pocketsphinx"
    assert "faster-whisper is not: it has failed several times" in engine.reason
    assert [e.engine for e in planned(resting).engines] == ["faster-whisper"]
    assert [e.engine for e in planned(resting, wanted=("faster-whisper",)).engines] == [
        "faster-whisper"
    ]
