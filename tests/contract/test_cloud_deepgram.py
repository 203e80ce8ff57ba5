"""Deepgram's SDK against a server that speaks Deepgram's API: POST /v1/listen."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from services.runtime.engines import Transcriber
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

needed("deepgram")


def listen(request: Request) -> Reply:
    if request.headers["Authorization"] != f"Token {KEY}":
        return as_json({"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials."}, 401)
    if (request.method, request.path) != ("POST", "/v1/listen"):
        return as_json({"err_msg": "not found"}, 404)
    (language,) = request.query["language"]
    if language.partition("-")[0] not in (*LANGUAGES, "multi"):
        return as_json({"err_code": "Bad Request", "err_msg": "No such model/language."}, 400)
    words = [
        {
            "word": word.text.lower().strip("."),
            "punctuated_word": word.text,
            "start": word.start,
            "end": word.end,
            "confidence": 0.9,
            **({"language": "de" if word.text == "not" else "en"} if language == "multi" else {}),
        }
        for word in words_in(request.body)
    ]
    alternative = {"transcript": "…", "confidence": 0.9, "words": words}
    metadata = {
        "request_id": "a",
        "sha256": "b",
        "created": "2026-01-01T00:00:00Z",
        "duration": 1.0,
        "channels": 1,
        "models": ["c"],
        "model_info": {},
    }
    return as_json(
        {"metadata": metadata, "results": {"channels": [{"alternatives": [alternative]}]}}
    )


class TestDeepgram(CloudContract):
    engine_name: ClassVar[str] = "deepgram"
    steps: ClassVar[tuple[str, ...]] = ("POST /v1/listen",)
    reply = staticmethod(listen)

    @staticmethod
    def settings(url: str, **others: Any) -> TranscribeSettings:
        return TranscribeSettings(deepgram_api_key=KEY, deepgram_url=url, **others)

    def test_tells_the_language_and_the_words_in_another(self, engine: Transcriber) -> None:
        heard = engine.transcribe(spoken(400, 4_000), language=None)
        assert heard.language == "en"
        assert {word.text for word in heard.words if word.language == "de"} == {"not"}
        assert heard.words[0].language is None
        assert heard.words[0].confidence == 0.9

    def test_writes_words_with_punctuation(self, engine: Transcriber) -> None:
        chunk = spoken(400, 14_000)
        assert "want." in [w.text for w in engine.transcribe(chunk, language="en").words]

    def test_asks_for_the_model_and_each_key_term(self, vendor: VendorServer) -> None:
        engine = make("deepgram", self.settings(vendor.url, key_terms="Kubernetes, Jo Ångström"))
        vendor.requests.clear()
        engine.transcribe(spoken(400, 2_000), language="en")
        query = vendor.requests[0].query
        assert query["keyterm"] == ["Kubernetes", "Jo Ångström"]
        assert query["model"] == ["nova-3"]
        assert query["smart_format"] == ["true"]

    @pytest.mark.parametrize(
        ("tag", "asked"), [("de-AT", "de"), ("en-gb", "en-GB"), ("de_CH", "de-CH"), (None, "multi")]
    )
    def test_asks_for_a_language_that_it_knows(
        self, vendor: VendorServer, engine: Transcriber, tag: str | None, asked: str
    ) -> None:
        vendor.requests.clear()
        engine.transcribe(spoken(400, 2_000), language=tag)
        assert vendor.requests[0].query["language"] == [asked]
