"""The object store: what events are too small to carry.

Everything lies under one of two roots. `results/` holds what engines computed, found by what it was
made of and kept. `jobs/<job>/` holds what belongs to one job.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import LocalStore, ObjectStore, from_url

from services.runtime.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from obstore import ReadableFile
    from typing_extensions import Buffer
from voxmesh_schemas import ArtifactRef


class Artifacts:
    """A folder or bucket that all services of a mesh share.

    Every method raises `TransientError` when the store fails (unreachable, full) and
    `PermanentError` when it refuses.
    """

    def __init__(self, store: ObjectStore, base: str) -> None:
        self._store = store
        self.base = base.rstrip("/")

    @classmethod
    def at(cls, url: str) -> Artifacts:
        """The store at a folder, or at a file://, s3://, gs:// or az:// URL."""
        if "://" not in url or url.startswith("file://"):
            folder = Path(url.removeprefix("file://")).expanduser().absolute()
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise PermanentError(
                    f"cannot keep artifacts in {folder}: {error.strerror}"
                ) from error
            return cls(LocalStore(folder, automatic_cleanup=True), folder.as_uri())
        try:
            return cls(from_url(url), url)
        except (BaseError, ValueError) as error:
            raise PermanentError(f"{url} is not an object store: {_sentence(error)}") from error

    async def put(self, path: str, data: bytes, media_type: str) -> ArtifactRef:
        """Store bytes at a path, whole or not at all, and say where they are."""
        with _explained(f"cannot store {path}"):
            await obstore.put_async(self._store, path, data)
        digest = await asyncio.to_thread(hashlib.sha256, data)
        return self._ref(path, digest.hexdigest(), len(data), media_type)

    async def put_new(self, path: str, data: bytes, media_type: str) -> ArtifactRef:
        """Store bytes unless something is there already; gives what is there then.

        Of all who write to a path the first one wins, so that whoever comes late (a worker whose
        lease has lapsed, say) cannot change what others have read. The store itself sees to it.
        """
        with _explained(f"cannot store {path}"):
            try:
                await obstore.put_async(self._store, path, data, mode="create")
            except AlreadyExistsError:
                data = await self.read(path) or data
        digest = await asyncio.to_thread(hashlib.sha256, data)
        return self._ref(path, digest.hexdigest(), len(data), media_type)

    async def put_file(self, path: str, file: BinaryIO, media_type: str) -> ArtifactRef:
        """Store a file of any size without holding it in memory."""
        digest = await asyncio.to_thread(hashlib.file_digest, file, "sha256")  # type: ignore[arg-type]  # typeshed asks for more than it uses
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        with _explained(f"cannot store {path}"):
            await obstore.put_async(self._store, path, file)
        return self._ref(path, digest.hexdigest(), size, media_type)

    async def get(self, ref: ArtifactRef) -> bytes:
        """The bytes an event speaks of, checked against its hash."""
        data = await self.read(self.path_of(ref.uri))
        if data is None:
            raise PermanentError(f"the artifact {ref.uri} is gone")
        digest = await asyncio.to_thread(hashlib.sha256, data)
        if digest.hexdigest() != ref.sha256:
            raise PermanentError(f"the artifact {ref.uri} is not what it was when it was stored")
        return data

    def open(self, uri: str) -> io.BufferedReader:
        """A seekable file over an artifact, for reading it in a thread."""
        path = self.path_of(uri)
        with _explained(f"cannot read {path}"):
            try:
                return io.BufferedReader(_RawReader(obstore.open_reader(self._store, path)))
            except FileNotFoundError as error:
                raise PermanentError(f"the artifact {uri} is gone") from error

    async def read(self, path: str) -> bytes | None:
        """The bytes at a path, or None when there are none."""
        with _explained(f"cannot read {path}"):
            try:
                answer = await obstore.get_async(self._store, path)
                return bytes(await answer.bytes_async())
            except FileNotFoundError:
                return None

    async def list(self, prefix: str) -> list[str]:
        """Paths under a prefix, in order."""
        with _explained(f"cannot list {prefix}"):
            batches = [batch async for batch in obstore.list(self._store, prefix)]
        return sorted(entry["path"] for batch in batches for entry in batch)

    async def delete(self, path: str) -> None:
        """Remove what is at a path, if anything is."""
        with _explained(f"cannot remove {path}"), suppress(FileNotFoundError):
            await obstore.delete_async(self._store, path)

    async def delete_all(self, prefix: str) -> None:
        """Remove everything under a prefix."""
        paths = await self.list(prefix)
        if paths:
            with _explained(f"cannot remove {prefix}"):
                await obstore.delete_async(self._store, paths)

    def path_of(self, uri: str) -> str:
        """The path of an artifact in this store; a reference to elsewhere is refused."""
        path = uri.removeprefix(self.base + "/")
        if path == uri or not path or any(part in {"", ".", ".."} for part in path.split("/")):
            raise PermanentError(f"{uri} is not an artifact of this mesh")
        return path

    def holds(self, uri: str) -> bool:
        """Whether an address looks like an artifact of this store."""
        return uri.startswith(self.base + "/")

    def _ref(self, path: str, sha256: str, size: int, media_type: str) -> ArtifactRef:
        return ArtifactRef(
            uri=f"{self.base}/{path}", sha256=sha256, size=size, media_type=media_type
        )


class _RawReader(io.RawIOBase):
    """The object store's reader as a file of the standard library."""

    def __init__(self, reader: ReadableFile) -> None:
        self._reader = reader

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def seekable(self) -> bool:
        """Object stores read from anywhere."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill a buffer, or a part of it at the end."""
        view = memoryview(buffer).cast("B")
        with _explained("cannot read an artifact"):
            data = bytes(self._reader.read(len(view)))
        view[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go somewhere."""
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        """Where it is."""
        return self._reader.tell()


@contextmanager
def _explained(action: str) -> Iterator[None]:
    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise PermanentError(f"{action}: the object store refuses access") from error
    except (BaseError, OSError) as error:
        raise TransientError(f"{action}: {_sentence(error)}") from error


def _sentence(error: Exception) -> str:
    """The first line of an error; the object store adds a debugging dump below it."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
