"""Speechmatics' SDK against a server that speaks Speechmatics' batch API: job, polling, words."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from services.runtime.engines import Transcriber
from services.runtime.errors import PermanentError, TransientError
from services.transcribe.engines import make
from services.transcribe.settings import TranscribeSettings
from tests.contract.cloud_suite import CloudContract, needed
from tests.contract.transcriber_suite import spoken
from tests.contract.vendor_server import (
    KEY,
    LANGUAGES,
    Reply,
    Request,
    VendorServer,
    as_json,
    words_in,
)

needed("speechmatics.batch")


class Vendor:
    """Runs a job for as long as it is asked for the first time."""

    def __init__(self) -> None:
        self.results: dict[str, list[dict[str, Any]]] = {}
        self.asked: set[str] = set()

    def __call__(self, request: Request) -> Reply:
        if request.headers["Authorization"] != f"Bearer {KEY}":
            return as_json({"code": 401, "error": "Permission Denied"}, 401)
        match request.method, request.path.removeprefix("/v2/jobs"):
            case "POST", "":
                return self._started(request)
            case "GET", path if path.endswith("/transcript"):
                return self._transcript(path.split("/")[1])
            case "GET", path:
                return self._status(path.strip("/"))
        return as_json({"code": 404, "error": "Path not found"}, 404)

    def _started(self, request: Request) -> Reply:
        form = request.form()
        config = json.loads(form["config"][0])["transcription_config"]
        if config["language"] not in (*LANGUAGES, "auto"):
            detail = f"unsupported language {config['language']}"
            return as_json({"code": 400, "error": "Job rejected", "detail": detail}, 400)
        job = f"job{len(self.results)}"
        self.results[job] = [
            result for word in words_in(form["data_file"][0]) for result in _results(word)
        ]
        return as_json({"id": job}, 201)

    def _status(self, job: str) -> Reply:
        status = "done" if job in self.asked else "running"
        self.asked.add(job)
        return as_json({"job": {"id": job, "status": status, "created_at": "", "data_name": "a"}})

    def _transcript(self, job: str) -> Reply:
        return as_json(
            {
                "format": "2.9",
                "job": {"id": job, "created_at": "", "data_name": "a", "duration": 1},
                "metadata": {"created_at": "", "type": "transcription"},
                "results": self.results[job],
            }
        )


def _results(word: Any) -> list[dict[str, Any]]:
    """A word, and a result of its own for the full stop at its end."""
    texts = [word.text.rstrip("."), *(["."] if word.text.endswith(".") else [])]
    return [
        {
            "type": "punctuation" if text == "." else "word",
            "start_time": word.end if text == "." else word.start,
            "end_time": word.end,
            "alternatives": [{"content": text, "confidence": 0.9, "language": "en"}],
            **({"attaches_to": "previous"} if text == "." else {}),
        }
        for text in texts
    ]


class TestSpeechmatics(CloudContract):
    engine_name: ClassVar[str] = "speechmatics"
    steps: ClassVar[tuple[str, ...]] = ("POST /v2/jobs", "GET /v2/jobs/")
    reply = staticmethod(Vendor())

    @staticmethod
    def settings(url: str, **others: Any) -> TranscribeSettings:
        return TranscribeSettings(
            speechmatics_api_key=KEY,
            speechmatics_url=f"{url}/v2",
            **{"poll_every_s": 0.01, **others},
        )

    def test_punctuation_belongs_to_its_word(self, engine: Transcriber) -> None:
        heard = engine.transcribe(spoken(400, 14_000), language=None)
        assert heard.language == "en"
        assert "want." in [word.text for word in heard.words]
        assert {word.confidence for word in heard.words} == {0.9}

    def test_asks_for_the_language_and_key_terms(self, vendor: VendorServer) -> None:
        engine = make("speechmatics", self.settings(vendor.url, key_terms="Kubernetes"))
        vendor.requests.clear()
        engine.transcribe(spoken(400, 2_000), language="de-AT")
        config = json.loads(vendor.requests[0].form()["config"][0])["transcription_config"]
        assert config["language"] == "de"
        assert config["model"] == "enhanced"
        assert config["additional_vocab"] == [{"content": "Kubernetes"}]

    def test_a_rejected_job_is_lost(self, vendor: VendorServer) -> None:
        errors = [{"timestamp": "", "message": "no audio stream"}]
        job = {"id": "a", "status": "rejected", "created_at": "", "data_name": "a"}
        reply = as_json({"job": {**job, "errors": errors}})
        error = self.failure(vendor, "GET /v2/jobs/", reply)
        assert type(error) is PermanentError
        assert "no audio stream" in str(error)

    def test_a_second_try_asks_for_the_first_ones_result(self, vendor: VendorServer) -> None:
        engine = make("speechmatics", self.settings(vendor.url))
        with vendor.failing("GET /v2/jobs/", Reply(503)), pytest.raises(TransientError):
            engine.transcribe(spoken(400, 2_000), language="en")
        vendor.requests.clear()
        assert engine.transcribe(spoken(400, 2_000), language="en").words
        assert {request.method for request in vendor.requests} == {"GET"}

    def test_does_not_wait_for_ever(self, vendor: VendorServer) -> None:
        engine = make("speechmatics", self.settings(vendor.url, result_within_s=0.05))
        job = {"id": "a", "status": "running", "created_at": "", "data_name": "a"}
        with (
            vendor.failing("GET /v2/jobs/", as_json({"job": job})),
            pytest.raises(TransientError, match="did not finish in time"),
        ):
            engine.transcribe(spoken(400, 2_000), language="en")
