"""What a vendor's failure means: an error of the mesh, in one sentence, without a secret.

Vendors quote keys in their answers, and SDKs quote answers and requests in their exceptions. So of
an exception only its kind is told, and of an answer its reason, when nothing of the key is in it.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Protocol

from services.runtime.errors import (
    EngineUnusableError,
    PermanentError,
    TransientError,
    VoxmeshError,
)

_LONGEST_WAIT_S = 15 * 60
"""A vendor that asks for more patience has lost the job: an hourly or daily limit is used up."""
_LONGEST_REASON = 200
_TELLING = 8
"""Characters in a row of a key that are too many to tell."""
_RETRY_DELAY = re.compile(r'"retryDelay":\s*"([0-9.]+)s"')
_REASON_FIELDS = ("detail", "message", "err_msg", "error", "msg")


@dataclass
class Refused(Exception):  # noqa: N818 - what happened, not yet what it means
    """An HTTP answer that is no result."""

    status: int
    headers: Mapping[str, str]
    body: str

    def __str__(self) -> str:  # an SDK may log it
        return f"HTTP {self.status}"

    @property
    def passes(self) -> bool:
        """Whether the same question may be answered another time."""
        return self.status in (408, 409, 425, 429) or self.status >= 500


class Response(Protocol):
    """What the answers of all SDKs' HTTP clients have in common."""

    @property
    def status_code(self) -> int: ...  # noqa: D102 - as in httpx

    @property
    def headers(self) -> Mapping[str, str]: ...  # noqa: D102 - as in httpx

    @property
    def text(self) -> str: ...  # noqa: D102 - as in httpx


def refused(response: Response) -> Refused:
    """What to raise for an SDK's HTTP answer."""
    return Refused(response.status_code, dict(response.headers), response.text)


def refusal(
    vendor: str, answer: Refused, *, key: str, remedy: str, language: str | None
) -> VoxmeshError:
    """The error for an answer; `remedy` says how to set another key."""
    status, reason = answer.status, told(_said(answer.body), key)
    if status < 400:  # a success of which nothing can be made
        return breakdown(vendor, answer)
    if status in (401, 403) or "API_KEY_INVALID" in answer.body:  # Google's is a bad request
        return EngineUnusableError(f"{vendor} refused the key; {remedy}")
    if status == 402 or "insufficient_quota" in answer.body:
        return EngineUnusableError(f"{vendor} wants to be paid: no credit is left; {remedy}")
    if status == 404:
        return EngineUnusableError(
            f"{vendor} knows no such model or address{reason}; check the settings of this engine"
        )
    if status == 413:
        return PermanentError(f"a chunk is too large for {vendor}{reason}")
    if answer.passes:
        return _passing(vendor, answer)
    asked = f" in the language {language!r}" if language else ""
    return PermanentError(f"{vendor} cannot take a chunk{asked} (HTTP {status}){reason}")


def breakdown(vendor: str, error: Exception) -> TransientError:
    """The error for an exception that carries no answer."""
    # Each SDK brings its own HTTP client, with exceptions of its own but the same names, and may
    # wrap them in others.
    names = " ".join(kind.__name__ for one in chain(error) for kind in type(one).__mro__)
    if "Timeout" in names or "DeadlineExceeded" in names:
        return TransientError(f"{vendor} did not answer in time")
    broke_off = any(word in names for word in ("Transport", "Connection", "OSError", "Protocol"))
    if broke_off and "ValueError" not in names:
        return TransientError(f"{vendor} cannot be reached, or the connection broke off")
    return TransientError(
        f"{vendor} answered with something that cannot be read ({type(error).__name__})"
    )


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, what it was raised from, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _passing(vendor: str, answer: Refused) -> VoxmeshError:
    wait_s = retry_after_s(answer)
    happened = "takes no more requests for now" if answer.status == 429 else "has trouble"
    if wait_s is not None and wait_s > _LONGEST_WAIT_S:
        return PermanentError(
            f"{vendor} {happened} (HTTP {answer.status}) and asks to wait {wait_s / 60:.0f} "
            "minutes; use another engine, or try again then"
        )
    return TransientError(f"{vendor} {happened} (HTTP {answer.status})", retry_after_s=wait_s)


def retry_after_s(answer: Refused) -> float | None:
    """How long to wait, by Retry-After of RFC 9110, section 10.2.3, or by google.rpc.RetryInfo."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    delay = _RETRY_DELAY.search(answer.body)
    value = headers.get("retry-after") or (delay and delay[1])
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def told(said: str, key: str) -> str:
    """What the vendor says, as the end of a sentence; empty when it would tell of the key."""
    pieces = {key[at : at + _TELLING] for at in range(max(1, len(key) - _TELLING + 1))}
    if key and any(piece in said for piece in pieces):
        return ""
    plain = " ".join(said.split())
    return f": {plain[:_LONGEST_REASON]}" if plain and plain.isprintable() else ""


def _said(body: str) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    while isinstance(found, list | dict):
        if isinstance(found, list):
            found = found[0] if found else ""
        else:
            found = next((found[name] for name in _REASON_FIELDS if found.get(name)), "")
    return found if isinstance(found, str) else ""
