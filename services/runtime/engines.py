"""What an engine is, and how one is found and chosen.

An engine is a class in a file of its own under `services/<service>/engines/`, with one line in that
folder's registry. Making one is cheap: heavy imports and models wait until it is first used, in a
worker process. See docs/adding-an-engine.md.
"""

from __future__ import annotations

import importlib.util
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Protocol
from urllib.parse import urlsplit

from services.runtime.audio import Samples
from voxmesh_schemas import Diarization, EmotionTrack, Hypothesis

Parameters = Mapping[str, str | int | float | bool | None]
"""What, beside the audio, a result depends on. Part of the result's address in the store."""


@dataclass(frozen=True)
class Usability:
    """Whether an engine can work here and now."""

    usable: bool
    reason: str
    """Why, or why not: one sentence."""
    remedy: str = ""
    """What to do to make it usable: one sentence, empty when it is."""


class Engine(Protocol):
    """What engines of every stage have in common."""

    name: ClassVar[str]
    """As users write it and results carry it."""
    parallel: ClassVar[bool]
    """Spreads over cores or a GPU by itself, so that one process holds it, once."""
    sends_audio_to: ClassVar[str | None]
    """Who else gets to hear what it is given. Such an engine waits instead of computing, may cost
    money, and works only when it is asked for by name; None: what it hears stays here."""

    @property
    def model(self) -> str:
        """Model and version, as results carry it."""

    def usability(self) -> Usability:
        """Whether it can work here and now; answers in two seconds and imports nothing heavy."""


class Transcriber(Engine, Protocol):
    """Hears words."""

    def transcribe(self, samples: Samples, *, language: str | None) -> Hypothesis:
        """Words of a chunk, times in milliseconds from its start, in order.

        `language` is a BCP 47 tag, or None to find out.

        Raises:
            TransientError, PermanentError: as in `services.runtime.errors`.
        """


class Diarizer(Engine, Protocol):
    """Tells voices apart."""

    def diarize(
        self, samples: Samples, *, min_speakers: int | None, max_speakers: int | None
    ) -> Diarization:
        """Turns of a chunk, times in milliseconds from its start, in order of start."""


class AudioEmotionEngine(Engine, Protocol):
    """Hears emotion in a voice."""

    def detect(self, samples: Samples) -> EmotionTrack:
        """Windows over a chunk, times in milliseconds from its start, in order."""


class TextEmotionEngine(Engine, Protocol):
    """Reads emotion in words."""

    def detect(self, hypothesis: Hypothesis) -> EmotionTrack:
        """Windows over the words of a chunk, times in milliseconds from its start, in order."""


def package_usability(*modules: str, extra: str) -> Usability | None:
    """Unusable, when a Python package is missing; None when all are there. Imports none of them."""
    for module in modules:
        if not _installed(module):
            return Usability(
                usable=False,
                reason=f"the Python package {module} is not installed",
                remedy=f"pip install 'voxmesh[{extra}]'",
            )
    return None


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it is in
        return False


@lru_cache(maxsize=1)
def hub_reachable(timeout_s: float = 1.5) -> bool:
    """Whether models can be fetched now; asked once per process, and never waits long."""
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}:
        return False
    endpoint = urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
    try:
        port = endpoint.port or (80 if endpoint.scheme == "http" else 443)
        with socket.create_connection((endpoint.hostname or "", port), timeout=timeout_s):
            return True
    except OSError:
        return False
