"""Errors a handler or an engine may raise, and nothing else decides what happens next.

    VoxmeshError
    ├── TransientError           may go well another time: tried again, with back-off
    │   └── ExhaustedError       was tried again in place already: tried again later, not at once
    └── PermanentError           will never go well: the job or the stage fails with this sentence
        ├── BadInputError        the user's recording or options are at fault
        └── EngineUnusableError  an engine cannot work here; says what to do about it

The text of each is one sentence for a person: what was wrong, with what, and what to do. It reaches
events and terminals as it is, so it never holds a secret.
"""

from __future__ import annotations


class VoxmeshError(Exception):
    """Base of every error that voxmesh raises on purpose."""


class TransientError(VoxmeshError):
    """Something outside failed that may work again: a network, a store, a busy device.

    `retry_after_s` is how long the other side asked to be left alone, when it did.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ExhaustedError(TransientError):
    """All tries in place are used up: whoever tries again does so later."""


class PermanentError(VoxmeshError):
    """Trying again cannot help."""


class BadInputError(PermanentError):
    """The recording or the options are at fault, not the mesh."""


class EngineUnusableError(PermanentError):
    """The engine that was asked for cannot work here."""
