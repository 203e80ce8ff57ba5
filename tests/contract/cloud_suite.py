"""What every engine that asks a vendor has to do, beside what every recogniser has to."""

from __future__ import annotations

import logging
import os
import pickle
import traceback
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest

from services.runtime.engines import Transcriber, package_usability
from services.runtime.errors import (
    EngineUnusableError,
    PermanentError,
    TransientError,
    VoxmeshError,
)
from services.transcribe.engines import make
from services.transcribe.settings import TranscribeSettings
from services.transcribe.uploads import Limits
from tests.contract.transcriber_suite import TranscriberContract, noise, silence, spoken
from tests.contract.vendor_server import KEY, SCRIPT, Reply, Request, VendorServer, as_json

NO_KEYS = {
    name: None
    for name in TranscribeSettings.model_fields
    if name.endswith("_api_key") or name == "google_credentials"
}
TELLTALE = {"error": {"message": f"bad key {KEY} in Authorization"}, "detail": KEY}
MALFORMED = Reply(200, b'{"words": [', {"Content-Type": "application/json"})
FAULTS = {
    "bad request": (as_json({"error": {"message": "no"}}, 400), PermanentError, "HTTP 400"),
    "no key": (as_json(TELLTALE, 401), EngineUnusableError, "refused the key; set VOXMESH_"),
    "no right": (as_json(TELLTALE, 403), EngineUnusableError, "refused the key"),
    "no credit": (as_json({}, 402), EngineUnusableError, "no credit"),
    "no such model": (as_json({}, 404), EngineUnusableError, "no such model"),
    "too large": (as_json(TELLTALE, 413), PermanentError, "too large"),
    "trouble": (as_json(TELLTALE, 500), TransientError, "HTTP 500"),
    "overload": (Reply(503, b"<html>"), TransientError, "HTTP 503"),
    "cut JSON": (MALFORMED, TransientError, "cannot be read"),
    "other JSON": (as_json(["unexpected"]), TransientError, "cannot be read"),
    "dropped": (Reply(200, drops=True), TransientError, "connection broke off"),
    "stalled": (Reply(200, b"{" * 100, stalls=True), TransientError, "in time"),
}


def needed(module: str) -> None:
    """Skip a file of tests for want of an SDK; where everything should be there, fail it."""
    if package_usability(module, extra="cloud"):
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"{module} is not installed", pytrace=False)
        pytest.skip(f"{module} is not installed", allow_module_level=True)


# The vendors' SDKs call what their libraries have renamed.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class CloudContract(TranscriberContract):
    """Holds for every engine that sends audio to a vendor."""

    engine_name: ClassVar[str]
    secret: ClassVar[str] = KEY
    unnoticed: ClassVar[frozenset[str]] = frozenset()
    """Faults that its SDK keeps to itself."""
    steps: ClassVar[tuple[str, ...]]
    """The requests that one upload takes, as `METHOD /path`."""

    @staticmethod
    def reply(request: Request) -> Reply:
        """What the vendor answers."""
        raise NotImplementedError

    @staticmethod
    def settings(url: str, **others: Any) -> TranscribeSettings:
        """Settings with the vendor at another address, and its key."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def vendor(cls) -> Iterator[VendorServer]:
        with VendorServer(cls.reply).running() as server:
            yield server

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, vendor: VendorServer) -> Transcriber:
        return make(cls.engine_name, cls.settings(vendor.url))

    def failure(self, vendor: VendorServer, step: str, reply: Reply) -> VoxmeshError:
        # A stalled body is given up on soon, and nothing else is late.
        quick = {"answer_within_s": 0.5 if reply.stalls else 20.0}
        engine = make(self.engine_name, self.settings(vendor.url, **quick))
        with vendor.failing(step, reply), pytest.raises(VoxmeshError) as raised:
            engine.transcribe(spoken(400, 2_000), language="en")
        return raised.value

    @pytest.mark.parametrize("fault", FAULTS)
    def test_names_a_failure_at_every_step(self, vendor: VendorServer, fault: str) -> None:
        reply, kind, says = FAULTS[fault]
        for step in () if fault in self.unnoticed else self.steps:
            error = self.failure(vendor, step, reply)
            assert type(error) is kind
            assert says in str(error)
            assert "\n" not in str(error)

    def test_obeys_a_rate_limit(self, vendor: VendorServer) -> None:
        for step in self.steps:
            error = self.failure(vendor, step, Reply(429, b"{}", {"Retry-After": "7"}))
            assert isinstance(error, TransientError)
            assert error.retry_after_s == 7

    @pytest.mark.parametrize("status", [429, 500])
    def test_leaves_trying_again_to_the_runtime(self, vendor: VendorServer, status: int) -> None:
        for step in self.steps:
            with vendor.failing(step, Reply(status, b"{}")), pytest.raises(TransientError):
                make(self.engine_name, self.settings(vendor.url)).transcribe(
                    spoken(400, 2_000), language="en"
                )
            method, _, path = step.partition(" ")
            asked = [r for r in vendor.requests if r.method == method and r.path.startswith(path)]
            assert len(asked) == 1

    @pytest.mark.parametrize("status", [400, 401, 422, 429, 500])
    def test_tells_nobody_the_key(
        self, vendor: VendorServer, caplog: pytest.LogCaptureFixture, status: int
    ) -> None:
        caplog.set_level(logging.DEBUG)
        telltale = {"error": {"message": f"bad key {self.secret}"}, "detail": self.secret}
        for step in self.steps:
            error = self.failure(vendor, step, as_json(telltale, status))
            assert error.__cause__ is None
            assert error.__context__ is None
            told = [str(error), repr(error), repr(pickle.dumps(error))]
            told += traceback.format_exception(error)
            assert self.secret not in "".join([*told, caplog.text])

    def test_shows_the_key_to_nobody_who_prints_it(self, vendor: VendorServer) -> None:
        settings = self.settings(vendor.url)
        engine = make(self.engine_name, settings)
        shown = f"{settings!r} {settings} {engine!r} {vars(engine)!r} {engine.model}"
        assert self.secret not in f"{shown} {engine.usability()!r}"

    def test_sends_nothing_in_which_nobody_speaks(
        self, engine: Transcriber, vendor: VendorServer
    ) -> None:
        vendor.requests.clear()
        engine.transcribe(np.concatenate([silence(2_000), noise(2_000, 0.003)]), language=None)
        assert vendor.requests == []

    def test_finds_the_words_of_all_pieces_where_they_were_spoken(
        self, vendor: VendorServer, engine: Transcriber
    ) -> None:
        chunk = np.concatenate([spoken(400, 3_900), silence(4_000), spoken(400, 3_900)])
        kind: Any = type(engine)
        splitting = type("Splitting", (kind,), {"limits": Limits(longest_s=5.0, most_bytes=10**9)})
        vendor.requests.clear()
        words = splitting(self.settings(vendor.url)).transcribe(chunk, language="en").words
        assert len([r for r in vendor.requests if r.method == "POST"]) > len(
            [step for step in self.steps if step.startswith("POST")]
        )
        assert [w.text for w in words].count(SCRIPT[0]) >= 2
        assert any(w.end_ms <= 3_800 for w in words)
        assert all(w.end_ms <= 3_800 or w.start_ms >= 7_200 for w in words)

    def test_without_a_key_says_how_to_set_it(self, vendor: VendorServer) -> None:
        engine = make(self.engine_name, self.settings(vendor.url).model_copy(update=NO_KEYS))
        usability = engine.usability()
        assert not usability.usable
        assert "VOXMESH_TRANSCRIBE_" in usability.remedy
        with pytest.raises(EngineUnusableError, match="VOXMESH_TRANSCRIBE_"):
            engine.transcribe(spoken(400, 2_000), language="en")

    def test_says_whom_it_sends_audio_to(self, engine: Transcriber) -> None:
        assert engine.sends_audio_to
        assert engine.sends_audio_to in engine.usability().reason
