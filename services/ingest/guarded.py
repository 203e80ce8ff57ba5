"""What stands between FFmpeg and the bytes: no file is opened, and no error lost, behind our back.

FFmpeg takes names inside a recording (of a playlist's segments, say) as readily as a user's own.
Here it gets no names, only files that are open already; and what a file raises is kept until the
libraries are done, because they would drop it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Protocol

from services.runtime.errors import BadInputError, TransientError, VoxmeshError


class ByteSource(Protocol):
    """A binary file; the bytes may be of any type that `bytes` takes."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes, none at the end."""

    def seekable(self) -> bool:
        """Whether `seek` and `tell` work; they are not needed otherwise."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go there."""

    def tell(self) -> int:
        """Where it is."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True)
class References:
    """How to follow what a recording names: the segments of a stream."""

    base_url: str
    """What relative names are relative to."""
    open: Callable[[str], ByteSource]


class Guarded:
    """A file as FFmpeg sees it: one that fails seems to end, and `check` tells the reason after."""

    def __init__(
        self,
        file: ByteSource,
        name: str,
        references: References | None = None,
        root: Guarded | None = None,
    ) -> None:
        self._file = file
        self._references = references
        self._root = root or self
        self._error: Exception | None = None
        # Some raw formats show in nothing but the suffix.
        self.name = references.base_url if references else f"recording{PurePath(name).suffix}"
        self.head = b""
        """The first bytes, once read."""

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end and after a failure."""
        if self._root._error is not None:
            return b""
        try:
            data = bytes(self._file.read(size))
        except Exception as error:
            self._fail(error)
            return b""
        self.head = self.head or data[:64]
        return data

    def seekable(self) -> bool:
        """Whether the file beneath is."""
        return self._file.seekable()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go there; negative when that cannot be."""
        try:
            return self._file.seek(offset, whence)
        except Exception:  # how FFmpeg asks what a file can do
            return -1

    def tell(self) -> int:
        """Where it is."""
        return self._file.tell()

    def close(self) -> None:
        """Close what `refer` opened; FFmpeg asks for it."""
        self._file.close()

    def refer(self, url: str, _flags: int = 0, _options: object = None) -> Guarded:
        """What the recording names, when it may be followed; else nothing, and `check` raises."""
        try:
            file = self._references.open(url) if self._references else None
        except Exception as error:
            self._fail(error)
            file = None
        if file is None:
            self._fail(BadInputError("the recording only names others; give the recording itself"))
        return Guarded(file or io.BytesIO(), "", root=self._root)

    def check(self) -> None:
        """Raise what reading has failed with."""
        if isinstance(self._error, VoxmeshError):
            raise self._error
        if self._error is not None:
            raise TransientError("the recording could not be read to its end") from self._error

    def _fail(self, error: Exception) -> None:
        root = self._root
        root._error = root._error or error
