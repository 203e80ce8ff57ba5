"""What an orchestrator is answered."""

from __future__ import annotations

from http.client import HTTPConnection

import pytest

from services.runtime.errors import PermanentError
from services.runtime.health import health_server


def get(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_a_process_is_healthy_at_once_and_ready_when_it_says_so() -> None:
    ready = False
    with health_server("127.0.0.1", 0, lambda: ready) as port:
        assert get(port, "/healthz") == (200, "ok\n")
        assert get(port, "/readyz") == (503, "not ready\n")
        ready = True
        assert get(port, "/readyz") == (200, "ready\n")


def test_metrics_are_told_in_prometheus_format() -> None:
    with health_server("127.0.0.1", 0, lambda: True) as port:
        status, text = get(port, "/metrics")
    assert status == 200
    assert "# TYPE voxmesh_events_total counter" in text


def test_anything_else_is_not_found() -> None:
    with health_server("127.0.0.1", 0, lambda: True) as port:
        assert get(port, "/etc/passwd")[0] == 404


def test_a_port_that_is_taken_is_said_so() -> None:
    with (
        health_server("127.0.0.1", 0, lambda: True) as port,
        pytest.raises(PermanentError, match=f"cannot listen on 127.0.0.1:{port}"),
        health_server("127.0.0.1", port, lambda: True),
    ):
        pass


def test_the_port_is_free_again_afterwards() -> None:
    with health_server("127.0.0.1", 0, lambda: True) as port:
        pass
    with pytest.raises(ConnectionRefusedError):
        get(port, "/healthz")
