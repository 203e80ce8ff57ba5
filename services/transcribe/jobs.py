"""Jobs at a vendor that takes a recording now and gives its words later."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import TypeVar

from services.runtime.errors import PermanentError, TransientError
from services.transcribe.answers import Refused, chain
from services.transcribe.uploads import Upload

T = TypeVar("T")


class Jobs:
    """Jobs that are not over: a second try asks for the first one's result and pays nothing."""

    def __init__(self) -> None:
        self._begun: dict[str, str] = {}

    def result(
        self,
        upload: Upload,
        language: str | None,
        begin: Callable[[], str],
        finish: Callable[[str], T],
    ) -> T:
        """What `finish` makes of a job's id; `begin` gives a new one, where there is none.

        A job is forgotten when it is done or lost, and kept when only the asking failed.
        """
        digest = hashlib.sha256(upload.flac + repr(language).encode()).hexdigest()
        job = self._begun.get(digest) or begin()
        self._begun[digest] = job
        try:
            result = finish(job)
        except Exception as error:
            if any(_is_final(one) for one in chain(error)):
                self._begun.pop(digest, None)
            raise
        self._begun.pop(digest, None)
        return result


def _is_final(error: BaseException) -> bool:
    return isinstance(error, PermanentError) or (isinstance(error, Refused) and not error.passes)


def polled(ask: Callable[[], T | None], vendor: str, *, every_s: float, within_s: float) -> T:
    """The first answer that is one.

    Raises:
        TransientError: when there is none within the time.
    """
    deadline = time.monotonic() + within_s
    while (answer := ask()) is None:
        if time.monotonic() + every_s > deadline:
            raise TransientError(f"{vendor} did not finish in time")
        time.sleep(every_s)
    return answer
