"""The google-genai SDK against a server that answers like the Gemini API: generateContent."""

from __future__ import annotations

import base64
import json
from typing import Any, ClassVar

import pytest

from services.runtime.engines import Transcriber
from services.runtime.errors import EngineUnusableError, PermanentError, TransientError
from services.transcribe.engines import make
from services.transcribe.settings import TranscribeSettings
from tests.contract.cloud_suite import CloudContract, needed
from tests.contract.transcriber_suite import spoken
from tests.contract.vendor_server import KEY, Reply, Request, VendorServer, as_json, words_in

needed("google.genai")

STEP = "POST /v1/models/gemini-3.8-flash:generateContent"


def generate(request: Request) -> Reply:
    if request.headers["x-goog-api-key"] != KEY:
        return as_json({"error": {"code": 403, "message": "no", "status": "DENIED"}}, 403)
    if f"{request.method} {request.path}" != STEP:
        return as_json({"error": {"code": 404, "message": "no", "status": "NOT_FOUND"}}, 404)
    wanted = request.json()
    (content,) = wanted["contents"]
    audio, prompt = content["parts"]
    # Fields of protobuf messages go by either of two names in JSON.
    inline = audio.get("inlineData") or audio["inline_data"]
    assert (inline.get("mimeType") or inline["mime_type"]) == "audio/flac"
    assert "verbatim" in prompt["text"]
    assert wanted["generationConfig"]["responseMimeType"] == "application/json"
    data = inline["data"].replace("-", "+").replace("_", "/")
    text = " ".join(word.text for word in words_in(base64.b64decode(data)))
    return answer({"language": "en-US", "text": text})


def answer(said: dict[str, str], finished: str = "STOP") -> Reply:
    content = {"role": "model", "parts": [{"text": json.dumps(said)}]}
    return as_json({"candidates": [{"content": content, "finishReason": finished}]})


class TestGemini(CloudContract):
    engine_name: ClassVar[str] = "gemini"
    steps: ClassVar[tuple[str, ...]] = (STEP,)
    reply = staticmethod(generate)

    @staticmethod
    def settings(url: str, **others: Any) -> TranscribeSettings:
        return TranscribeSettings(gemini_api_key=KEY, gemini_url=url, **others)

    def test_tells_the_language_that_it_heard(self, engine: Transcriber) -> None:
        assert engine.transcribe(spoken(400, 2_000), language=None).language == "en"

    def test_tells_what_is_known_beforehand(self, vendor: VendorServer) -> None:
        engine = make("gemini", self.settings(vendor.url, key_terms="Ångström"))
        vendor.requests.clear()
        engine.transcribe(spoken(400, 2_000), language="de-AT")
        prompt = vendor.requests[0].json()["contents"][0]["parts"][1]["text"]
        assert "de-AT" in prompt
        assert "Ångström" in prompt

    @pytest.mark.parametrize("reason", ["MAX_TOKENS", "RECITATION", "SAFETY"])
    def test_half_an_answer_is_no_answer(self, vendor: VendorServer, reason: str) -> None:
        error = self.failure(vendor, STEP, answer({"language": "en", "text": "Ask"}, reason))
        assert type(error) is PermanentError
        assert reason in str(error)

    def test_a_wrong_key_is_a_bad_request(self, vendor: VendorServer) -> None:
        body = {"code": 400, "status": "INVALID_ARGUMENT", "message": "API key not valid."}
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo"}]
        details[0]["reason"] = "API_KEY_INVALID"
        error = self.failure(vendor, STEP, as_json({"error": {**body, "details": details}}, 400))
        assert isinstance(error, EngineUnusableError)

    def test_obeys_a_delay_that_is_in_the_body(self, vendor: VendorServer) -> None:
        delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
        body = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "…", "details": [delay]}
        error = self.failure(vendor, STEP, as_json({"error": body}, 429))
        assert isinstance(error, TransientError)
        assert error.retry_after_s == 34.5
