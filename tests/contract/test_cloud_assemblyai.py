"""AssemblyAI's SDK against a server that speaks AssemblyAI's API: upload, transcript, polling."""

from __future__ import annotations

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

needed("assemblyai")


class Vendor:
    """Keeps what was uploaded, and is busy when it is asked for the first time."""

    def __init__(self) -> None:
        self.audio: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}

    def __call__(self, request: Request) -> Reply:
        if request.headers["Authorization"] != KEY:
            return as_json({"error": "Authentication error, API token missing/invalid"}, 401)
        match request.method, request.path:
            case "POST", "/v2/upload":
                place = f"https://cdn.assemblyai.com/upload/{len(self.audio)}"
                self.audio[place] = request.body
                return as_json({"upload_url": place})
            case "POST", "/v2/transcript":
                return self._started(request.json())
            case "GET", path:
                job = self.jobs[path.rpartition("/")[2]]
                answer = {**job, "status": "processing"} if not job["asked"] else job
                job["asked"] = True
                return as_json(answer)
        return as_json({"error": "not found"}, 404)

    def _started(self, wanted: dict[str, Any]) -> Reply:
        if (wanted.get("language_code") is None) == (wanted.get("language_detection") is None):
            return as_json({"error": "either a language or its detection"}, 400)
        if wanted.get("language_code", "en") not in LANGUAGES:
            return as_json({"error": "language_code is not one that we know"}, 400)
        words = [
            {
                "text": w.text,
                "start": int(w.start * 1000),
                "end": int(w.end * 1000),
                "confidence": 0.9,
            }
            for w in words_in(self.audio[wanted["audio_url"]])
        ]
        job = {
            **wanted,
            "id": f"job-{len(self.jobs)}",
            "status": "completed",
            "language_code": wanted.get("language_code") or "en_us",
            "text": " ".join(str(w["text"]) for w in words),
            "words": words,
            "asked": False,
        }
        self.jobs[job["id"]] = job
        return as_json({**job, "status": "queued", "words": None, "text": None})


class TestAssemblyAI(CloudContract):
    engine_name: ClassVar[str] = "assemblyai"
    steps: ClassVar[tuple[str, ...]] = (
        "POST /v2/upload",
        "POST /v2/transcript",
        "GET /v2/transcript/",
    )
    reply = staticmethod(Vendor())

    @staticmethod
    def settings(url: str, **others: Any) -> TranscribeSettings:
        return TranscribeSettings(
            assemblyai_api_key=KEY, assemblyai_url=url, poll_every_s=0.01, **others
        )

    def test_tells_the_language_that_was_found(self, engine: Transcriber) -> None:
        heard = engine.transcribe(spoken(400, 2_000), language=None)
        assert heard.language == "en"
        assert heard.words[0].confidence == 0.9

    def test_asks_for_models_and_key_terms(self, vendor: VendorServer) -> None:
        engine = make("assemblyai", self.settings(vendor.url, key_terms="Kubernetes, Jo Ångström"))
        vendor.requests.clear()
        engine.transcribe(spoken(400, 2_000), language="de-AT")
        wanted = next(r.json() for r in vendor.requests if r.path == "/v2/transcript")
        assert wanted["keyterms_prompt"] == ["Kubernetes", "Jo Ångström"]
        assert wanted["speech_models"] == ["universal-3-5-pro", "universal-2"]
        assert wanted["language_code"] == "de"
        assert engine.model != make("assemblyai", self.settings(vendor.url)).model

    @pytest.mark.parametrize(
        "reason", ["File does not appear to contain audio.", f"a reason with {KEY}"]
    )
    def test_a_failed_transcript_is_lost(self, vendor: VendorServer, reason: str) -> None:
        reply = as_json({"id": "a", "audio_url": "b", "status": "error", "error": reason})
        error = self.failure(vendor, "GET /v2/transcript/", reply)
        assert type(error) is PermanentError
        assert ("contain audio" in str(error)) == (KEY not in reason)
        assert KEY not in str(error)

    def test_speech_that_only_the_vad_hears_is_no_failure(self, vendor: VendorServer) -> None:
        reason = "language_detection cannot be performed on files with no spoken audio."
        reply = as_json({"id": "a", "audio_url": "b", "status": "error", "error": reason})
        engine = make("assemblyai", self.settings(vendor.url))
        with vendor.failing("GET /v2/transcript/", reply):
            assert engine.transcribe(spoken(400, 2_000), language=None).words == ()

    def test_a_second_try_asks_for_the_first_ones_transcript(self, vendor: VendorServer) -> None:
        engine = make("assemblyai", self.settings(vendor.url))
        with (
            vendor.failing("GET /v2/transcript/", Reply(503)),
            pytest.raises(TransientError),
        ):
            engine.transcribe(spoken(400, 2_000), language="en")
        vendor.requests.clear()
        assert engine.transcribe(spoken(400, 2_000), language="en").words
        assert {request.method for request in vendor.requests} == {"GET"}

    def test_a_transcript_that_is_gone_is_asked_for_anew(self, vendor: VendorServer) -> None:
        engine = make("assemblyai", self.settings(vendor.url))
        with (
            vendor.failing("GET /v2/transcript/", Reply(404)),
            pytest.raises(PermanentError),
        ):
            engine.transcribe(spoken(400, 2_000), language="en")
        vendor.requests.clear()
        assert engine.transcribe(spoken(400, 2_000), language="en").words
        assert "POST" in {request.method for request in vendor.requests}

    def test_does_not_wait_for_ever(self, vendor: VendorServer) -> None:
        engine = make("assemblyai", self.settings(vendor.url, result_within_s=0.05))
        reply = as_json({"id": "a", "audio_url": "b", "status": "processing"})
        with (
            vendor.failing("GET /v2/transcript/", reply),
            pytest.raises(TransientError, match="did not finish in time"),
        ):
            engine.transcribe(spoken(400, 2_000), language="en")
