"""Events on the wire, as CloudEvents."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace

from services.runtime.bus import Message
from services.runtime.envelope import to_event, to_message
from services.runtime.errors import PermanentError
from services.runtime.telemetry import trace_of
from tests.examples import CHUNK, EXAMPLES, PLAN
from voxmesh_schemas import AudioChunked, Event, JobProgressed, Stage

EVENTS = [example for example in EXAMPLES if isinstance(example, Event)]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_comes_out_as_it_went_in(event: Event) -> None:
    message = to_message(event, producer="ingest")
    assert to_event(message) == event
    assert (message.topic, message.key) == (event.topic, event.key)


def test_the_headers_are_those_of_cloudevents() -> None:
    event = AudioChunked(job_id="job-1", chunk=CHUNK, plan=PLAN)
    headers = dict(to_message(event, producer="ingest").headers)
    told_at = datetime.fromisoformat(headers.pop("ce_time"))
    assert told_at.tzinfo == UTC
    assert UUID(headers["ce_id"]).version == 5
    assert headers == {
        "ce_specversion": "1.0",
        "ce_id": event.id,
        "ce_type": "org.voxmesh.audio.chunked.v1",
        "ce_source": "/voxmesh/ingest",
        "ce_subject": "job-1/3",
        "content-type": "application/json",
    }


def test_the_trace_goes_along() -> None:
    span = trace.NonRecordingSpan(
        trace.SpanContext(
            trace_id=0xA1, span_id=0xB2, is_remote=False, trace_flags=trace.TraceFlags(1)
        )
    )
    with trace.use_span(span):
        message = to_message(EVENTS[0], producer="ingest")
    found = trace.get_current_span(trace_of(message)).get_span_context()
    assert (found.trace_id, found.span_id, found.is_remote) == (0xA1, 0xB2, True)


def test_the_same_fact_has_the_same_id_and_another_has_another() -> None:
    def progress(done: int, total: int | None) -> JobProgressed:
        return JobProgressed(job_id="job-1", stage=Stage.INGEST, done=done, total=total)

    assert progress(1, None).id == progress(1, 9).id != progress(2, 9).id
    assert len({event.id for event in EVENTS}) == len(EVENTS)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (Message("weather", "", b"{}"), "the topic weather carries no event that is known"),
        (Message("jobs.failed", "", b"{}"), "not a job.failed event: job_id: Field required"),
        (Message("jobs.failed", "", b"["), "not a job.failed event: the body: Invalid JSON"),
        (
            Message("jobs.failed", "", b'{"job_id": "a b", "stage": "merge", "reason": ""}'),
            "not a job.failed event: job_id: String should match",
        ),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(message: Message, sentence: str) -> None:
    with pytest.raises(PermanentError) as caught:
        to_event(message)
    assert str(caught.value).startswith(sentence)


@given(st.binary(), st.sampled_from([event.topic for event in EVENTS]))
def test_no_bytes_break_the_reader(body: bytes, topic: str) -> None:
    with suppress(PermanentError):
        to_event(Message(topic, "", body))
