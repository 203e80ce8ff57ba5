"""Google Cloud's client library against a server that speaks Speech-to-Text V2: recognize."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest

from services.runtime.engines import Transcriber
from services.transcribe.engines import make
from services.transcribe.settings import TranscribeSettings
from tests.contract.cloud_suite import CloudContract, needed
from tests.contract.transcriber_suite import spoken
from tests.contract.vendor_server import Reply, Request, VendorServer, as_json, words_in

needed("google.cloud.speech_v2")

STEP = "POST /v2/projects/our-project/locations/us-central1/recognizers/_:recognize"
LOCALES = ("auto", "en-US", "de-DE", "de-AT")
TAG = "en-us"
FOLDER = TemporaryDirectory()


@cache
def private_key() -> str:
    """A key of a service account, made for these tests."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@cache
def account_file() -> Path:
    file = Path(FOLDER.name) / "account.json"
    account = {
        "type": "service_account",
        "project_id": "our-project",
        "private_key_id": "1",
        "private_key": private_key(),
        "client_email": "voxmesh@our-project.example.org",
        # Of Google's own universe the library looks up where requests may go: over the network.
        "universe_domain": "example.org",
        "token_uri": "http://127.0.0.1:1/no-token-is-asked-for",
    }
    file.write_text(json.dumps(account))
    return file


def recognize(request: Request) -> Reply:
    scheme, _, token = request.headers["Authorization"].partition(" ")
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    if scheme != "Bearer" or claims["iss"] != "voxmesh@our-project.example.org":
        return as_json({"error": {"code": 401, "message": "Who is this?"}}, 401)
    if f"{request.method} {request.path}" != STEP:
        return as_json({"error": {"code": 404, "message": "not found"}}, 404)
    wanted = request.json()
    config = wanted["config"]
    assert config["model"] == "chirp_2"
    assert config["features"]["enableWordTimeOffsets"] is True
    (language,) = config["languageCodes"]
    if language not in LOCALES:
        message = f'The language "{language}" is not supported by the model "chirp_2".'
        return as_json({"error": {"code": 400, "message": message}}, 400)
    words = [
        {
            "word": word.text,
            "startOffset": f"{word.start:.3f}s",
            "endOffset": f"{word.end:.3f}s",
            "confidence": 0.9,
        }
        for word in words_in(base64.b64decode(wanted["content"]))
    ]
    if not words:
        return as_json({})
    alternative = {"transcript": "…", "confidence": 0.9, "words": words}
    return as_json({"results": [{"alternatives": [alternative], "languageCode": TAG}]})


class TestGoogleChirp(CloudContract):
    engine_name: ClassVar[str] = "google-chirp"
    secret: ClassVar[str] = private_key().splitlines()[5]
    # To protobuf, JSON without a field that it knows is a message with no field set.
    unnoticed: ClassVar[frozenset[str]] = frozenset({"other JSON"})
    steps: ClassVar[tuple[str, ...]] = (STEP,)
    reply = staticmethod(recognize)

    @staticmethod
    def settings(url: str, **others: Any) -> TranscribeSettings:
        return TranscribeSettings(google_credentials=account_file(), google_url=url, **others)

    def test_tells_the_language_that_was_found(self, engine: Transcriber) -> None:
        heard = engine.transcribe(spoken(400, 4_000), language=None)
        assert heard.language == "en"
        assert {word.confidence for word in heard.words} == {None}

    @pytest.mark.parametrize(
        ("tag", "asked"), [("en", "en-US"), ("de", "de-DE"), ("de-AT", "de-AT"), (None, "auto")]
    )
    def test_asks_for_a_language_with_its_region(
        self, vendor: VendorServer, engine: Transcriber, tag: str | None, asked: str
    ) -> None:
        vendor.requests.clear()
        engine.transcribe(spoken(400, 2_000), language=tag)
        assert vendor.requests[0].json()["config"]["languageCodes"] == [asked]

    def test_key_terms_are_phrases(self, vendor: VendorServer) -> None:
        engine = make("google-chirp", self.settings(vendor.url, key_terms="Kubernetes, Jo"))
        vendor.requests.clear()
        engine.transcribe(spoken(400, 2_000), language="en")
        (phrases,) = vendor.requests[0].json()["config"]["adaptation"]["phraseSets"]
        values = [phrase["value"] for phrase in phrases["inlinePhraseSet"]["phrases"]]
        assert values == ["Kubernetes", "Jo"]

    def test_says_that_a_file_holds_no_key(self, tmp_path: Path) -> None:
        (tmp_path / "account.json").write_text("[]")
        for file in (tmp_path / "account.json", tmp_path / "none.json"):
            engine = make("google-chirp", TranscribeSettings(google_credentials=file))
            assert "is no file with a service account's key" in engine.usability().reason
