"""What a vendor's failure means, in one sentence that tells nothing of the key."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from services.runtime.errors import (
    EngineUnusableError,
    PermanentError,
    TransientError,
    VoxmeshError,
)
from services.transcribe.answers import Refused, breakdown, refusal, retry_after_s, told

KEY = "sk-0123456789abcdef"


def meaning(status: int, body: object = "", *, language: str | None = None) -> VoxmeshError:
    text = body if isinstance(body, str) else json.dumps(body)
    answer = Refused(status, {}, text)
    return refusal("Whistler", answer, key=KEY, remedy="set KEY", language=language)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": "no such language"}, "no such language"),
        ({"err_code": "Bad Request", "err_msg": "no such model"}, "no such model"),
        ({"error": {"message": "not\nthis", "code": 1}}, "not this"),
        ({"detail": [{"loc": ["body"], "msg": "field required"}]}, "field required"),
        ({"code": 400, "error": "Bad", "detail": "unsupported"}, "unsupported"),
        ([{"error": {"message": "in a list"}}], "in a list"),
        ({"error": {"message": f"bad key {KEY[3:14]}***"}}, None),
        ({"error": "\x1b[31mred"}, None),
        ({"error": {"message": 7}}, None),
        ({"odd": "thing"}, None),
        ("<html>no JSON</html>", None),
    ],
)
def test_the_reason_is_told_unless_it_tells_of_the_key(body: object, reason: str | None) -> None:
    said = str(meaning(400, body))
    assert said == "Whistler cannot take a chunk (HTTP 400)" + (f": {reason}" if reason else "")


def test_a_long_reason_is_cut() -> None:
    assert len(str(meaning(400, {"error": "so " * 1_000}))) < 300


@pytest.mark.parametrize("key", ["short", "", "sk-0123456789abcdef"])
def test_a_key_of_any_length_is_kept(key: str) -> None:
    assert told("all is well", key) == ": all is well"
    assert not key or told(f"it is {key}!", key) == ""


def test_a_refused_language_is_named() -> None:
    assert "in the language 'tlh'" in str(meaning(400, language="tlh"))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, "", EngineUnusableError),
        (403, "", EngineUnusableError),
        (400, {"error": {"details": [{"reason": "API_KEY_INVALID"}]}}, EngineUnusableError),
        (402, "", EngineUnusableError),
        (429, {"error": {"code": "insufficient_quota"}}, EngineUnusableError),
        (404, "", EngineUnusableError),
        (413, "", PermanentError),
        (422, "", PermanentError),
        (408, "", TransientError),
        (429, "", TransientError),
        (500, "", TransientError),
        (529, "", TransientError),
        (200, "half a", TransientError),
    ],
)
def test_each_status_has_a_meaning(status: int, body: object, kind: type[VoxmeshError]) -> None:
    assert type(meaning(status, body)) is kind


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("1.5", 1.5), ("-3", 0), ("soon", None), ("nan", None), ("", None)],
)
def test_retry_after_is_read(header: str, seconds: float | None) -> None:
    assert retry_after_s(Refused(429, {"Retry-After": header}, "")) == seconds


def test_retry_after_may_be_a_date() -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)
    assert retry_after_s(Refused(503, {"retry-after": then}, "")) == pytest.approx(120, abs=30)


def test_nobody_waits_for_tomorrow() -> None:
    answer = Refused(429, {"Retry-After": "86400"}, "")
    error = refusal("Whistler", answer, key=KEY, remedy="", language=None)
    assert type(error) is PermanentError
    assert "1440 minutes" in str(error)


class ReadTimeout(Exception):  # noqa: N818 - as HTTP clients call it
    pass


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ReadTimeout(KEY), "in time"),
        (TimeoutError(KEY), "in time"),
        (ConnectionResetError(KEY), "broke off"),
        (ValueError(KEY), "cannot be read"),
        (KeyError(KEY), "cannot be read"),
    ],
)
def test_of_an_exception_only_its_kind_is_told(error: Exception, says: str) -> None:
    said = str(breakdown("Whistler", error))
    assert says in said
    assert KEY not in said


def test_an_exception_is_what_it_was_raised_from() -> None:
    error = RuntimeError("wrapped")
    error.__cause__ = ReadTimeout()
    assert "in time" in str(breakdown("Whistler", error))
