"""The openai SDK against servers that answer like OpenAI's, each as much as its model knows."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytest

from services.runtime.engines import Transcriber
from services.runtime.errors import EngineUnusableError
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
    Word,
    as_json,
    words_in,
)

needed("openai")

PATH = "/v1/audio/transcriptions"


def transcription(request: Request) -> Reply:
    """What OpenAI answers; Mistral says less, and calls words segments."""
    if request.headers["Authorization"] != f"Bearer {KEY}":
        return as_json({"error": {"message": "Incorrect API key provided."}}, 401)
    if (request.method, request.path) != ("POST", PATH):
        return as_json({"error": {"message": "not found"}}, 404)
    form = request.form()
    language = form.get("language", [b"en"])[0].decode()
    if language not in LANGUAGES:
        message = f"Language '{language}' is not supported."
        return as_json({"error": {"message": message, "param": "language"}}, 400)
    model = form["model"][0].decode()
    words = words_in(form["file"][0])
    text = " ".join(word.text for word in words)
    if model.startswith("gpt-4o"):
        if form["response_format"] != [b"json"] or "timestamp_granularities[]" in form:
            return as_json({"error": {"message": "not with this model"}}, 400)
        return as_json({"text": text, "logprobs": _tokens(text)})
    if model.startswith("voxtral"):
        return _voxtral(form, words, text)
    assert form["response_format"] == [b"verbose_json"]
    assert form["timestamp_granularities[]"] == [b"word", b"segment"]
    bare = [{"word": w.text.strip(".%"), "start": w.start, "end": w.end} for w in words]
    segment = {"start": 0.0, "end": 999.0, "text": text, "avg_logprob": math.log(0.8)}
    return as_json({"text": text, "language": "english", "words": bare, "segments": [segment]})


def _tokens(text: str) -> list[dict[str, Any]]:
    """Four letters each, the second of a word less sure."""
    tokens = []
    for word in text.split():
        tokens += [{"token": f" {word[:4]}", "logprob": 0.0}]
        tokens += [{"token": word[4:], "logprob": math.log(0.5)}] if word[4:] else []
    return tokens


def _voxtral(form: dict[str, list[bytes]], words: list[Word], text: str) -> Reply:
    times = form.get("timestamp_granularities[]")
    if times and "language" in form:
        return as_json({"detail": "language and timestamp_granularities exclude each other"}, 422)
    segments = [{"text": f" {w.text}", "start": w.start, "end": w.end} for w in words]
    return as_json({"text": text, "language": None, "segments": segments if times else []})


class OpenAICompatibleContract(CloudContract):
    steps: ClassVar[tuple[str, ...]] = (f"POST {PATH}",)
    reply = staticmethod(transcription)

    @classmethod
    def settings(cls, url: str, **others: Any) -> TranscribeSettings:
        name = cls.engine_name.partition("-")[0]
        return TranscribeSettings(**{f"{name}_api_key": KEY, f"{name}_url": f"{url}/v1", **others})

    def test_sends_a_flac_file_with_its_name(
        self, vendor: VendorServer, engine: Transcriber
    ) -> None:
        vendor.requests.clear()
        engine.transcribe(spoken(400, 2_000), language="en")
        body = vendor.requests[0].body
        assert b'name="file"; filename="chunk.flac"' in body
        assert b"Content-Type: audio/flac" in body


class TestOpenAI(OpenAICompatibleContract):
    engine_name: ClassVar[str] = "openai"

    def test_a_word_is_as_sure_as_its_least_sure_token(self, engine: Transcriber) -> None:
        words = engine.transcribe(spoken(400, 14_000), language="en").words
        assert {w.confidence for w in words if w.text in ("Ask", "not", "50%")} == {1.0}
        assert {w.confidence for w in words if w.text in ("friends", "well-known")} == {0.5}

    def test_without_credit_there_is_no_use_in_waiting(self, vendor: VendorServer) -> None:
        error = {"error": {"code": "insufficient_quota", "message": "You exceeded your quota"}}
        failure = self.failure(vendor, f"POST {PATH}", as_json(error, 429))
        assert type(failure) is EngineUnusableError
        assert "no credit" in str(failure)

    def test_says_of_whose_account_it_is_to_nobody(
        self, vendor: VendorServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
        vendor.requests.clear()
        make("openai", self.settings(vendor.url)).transcribe(spoken(400, 2_000), language="en")
        assert "org-secret" not in str(vendor.requests[0].headers)


class TestOpenAIWhisper(OpenAICompatibleContract):
    engine_name: ClassVar[str] = "openai-whisper"

    def test_words_have_the_punctuation_of_the_text_and_the_times_of_the_list(
        self, engine: Transcriber
    ) -> None:
        heard = engine.transcribe(spoken(400, 14_000), language=None)
        assert heard.language == "en"
        assert {"50%", "want."} <= {word.text for word in heard.words}
        assert all(word.end_ms - word.start_ms == 200 for word in heard.words)
        assert heard.words[0].confidence == pytest.approx(0.8)

    def test_key_terms_are_its_prompt(self, vendor: VendorServer) -> None:
        engine = make("openai-whisper", self.settings(vendor.url, key_terms="Ångström,Jo"))
        vendor.requests.clear()
        engine.transcribe(spoken(400, 2_000), language="en")
        assert vendor.requests[0].form()["prompt"] == ["Ångström, Jo".encode()]


class TestGroq(OpenAICompatibleContract):
    engine_name: ClassVar[str] = "groq"


class TestMistral(OpenAICompatibleContract):
    engine_name: ClassVar[str] = "mistral"

    def test_takes_words_that_are_called_segments(self, engine: Transcriber) -> None:
        words = engine.transcribe(spoken(400, 4_000), language=None).words
        assert all(word.end_ms - word.start_ms == 200 for word in words)

    def test_key_terms_have_no_spaces(self, vendor: VendorServer) -> None:
        engine = make("mistral", self.settings(vendor.url, key_terms="Jo Doe, Kubernetes"))
        vendor.requests.clear()
        engine.transcribe(spoken(400, 2_000), language="en")
        assert vendor.requests[0].form()["context_bias"] == [b"Jo_Doe,Kubernetes"]


class TestSelfHosted(OpenAICompatibleContract):
    engine_name: ClassVar[str] = "selfhosted"

    @classmethod
    def settings(cls, url: str, **others: Any) -> TranscribeSettings:
        return super().settings(url, **{"selfhosted_model": "large-v3", **others})

    def test_without_a_key_says_how_to_set_it(self, vendor: VendorServer) -> None:
        """It may want none, but it has to be somewhere."""
        engine = make("selfhosted", TranscribeSettings(selfhosted_url="", selfhosted_model=""))
        assert not engine.usability().usable
        assert "SELFHOSTED_URL" in engine.usability().remedy

    def test_names_the_server_and_not_who_may_enter(self) -> None:
        url = "https://me:secret@asr.example.org/v1"
        engine = make(
            "selfhosted", TranscribeSettings(selfhosted_url=url, selfhosted_model="large-v3")
        )
        assert engine.model == "large-v3 at asr.example.org"
        assert engine.usability().usable
