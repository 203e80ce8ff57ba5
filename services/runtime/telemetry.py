"""Traces and metrics. Spans go where the OpenTelemetry environment variables say; nowhere else."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import Counter, Gauge, Histogram

from services.runtime.bus.base import Bus, Message
from services.runtime.cancellation import raise_if_cancelled
from services.runtime.errors import TransientError
from voxmesh_schemas import PlannedEngine

log = structlog.get_logger(__name__)

tracer = trace.get_tracer("voxmesh")

EVENTS = Counter("voxmesh_events_total", "Events dealt with.", ["service", "topic", "outcome"])
IN_WORK = Gauge("voxmesh_events_in_work", "Events in work now.", ["service"])
HANDLING = Histogram(
    "voxmesh_event_duration_seconds",
    "Time from taking an event to acknowledging it.",
    ["service", "topic"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000),
)
LAG = Gauge(
    "voxmesh_consumer_lag",
    "Messages not acknowledged by a whole consumer group; every process of it says the same.",
    ["group", "topic"],
)
LOOK_FOR_LAG_EVERY_S = 10.0
BREAKERS = Gauge(
    "voxmesh_engine_breaker_state",
    "Circuit breaker of an engine: 0 closed, 1 half-open, 2 open.",
    ["stage", "engine"],
)
INFERENCE = Histogram(
    "voxmesh_inference_duration_seconds",
    "Time an engine took for a chunk.",
    ["stage", "engine"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000),
)


def configure_traces(service: str) -> None:
    """Record spans when an OTLP endpoint is set and its exporter is installed."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"voxmesh-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def trace_of(message: Message) -> Context:
    """The trace a message belongs to."""
    return extract(dict(message.headers))


@contextmanager
def inference_span(planned: PlannedEngine) -> Iterator[None]:
    """Span and duration of one engine on one chunk."""
    started = time.monotonic()
    with tracer.start_as_current_span(
        f"infer {planned.stage}",
        attributes={"voxmesh.engine": planned.engine, "voxmesh.model": planned.model},
    ):
        yield
    INFERENCE.labels(planned.stage, planned.engine).observe(time.monotonic() - started)


async def watch_lag(bus: Bus) -> None:
    """Keep the lag of the bus's groups in metrics until cancelled."""
    while True:
        raise_if_cancelled()
        try:
            for (group, topic), count in (await bus.lag()).items():
                LAG.labels(group, topic).set(count)
        except TransientError as error:
            log.warning("the lag of consumers is not known", error=str(error))
        await asyncio.sleep(LOOK_FOR_LAG_EVERY_S)
