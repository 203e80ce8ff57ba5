"""The object store, on a folder."""

from __future__ import annotations

import asyncio
import io
import os
from pathlib import Path

import pytest

from services.runtime.artifacts import Artifacts
from services.runtime.errors import PermanentError, TransientError

SHA256_OF_HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts.at(str(tmp_path / "store"))


async def test_what_is_put_can_be_had_by_its_reference(artifacts: Artifacts) -> None:
    ref = await artifacts.put("jobs/1/a.txt", b"hello", "text/plain")
    assert (ref.sha256, ref.size, ref.media_type) == (SHA256_OF_HELLO, 5, "text/plain")
    assert ref.uri == f"{artifacts.base}/jobs/1/a.txt"
    assert artifacts.holds(ref.uri)
    assert await artifacts.get(ref) == b"hello"


async def test_a_file_is_stored_like_bytes(artifacts: Artifacts) -> None:
    file = await artifacts.put_file("jobs/1/a.txt", io.BytesIO(b"hello"), "text/plain")
    assert file == await artifacts.put("jobs/1/a.txt", b"hello", "text/plain")
    assert await artifacts.get(file) == b"hello"


async def test_an_artifact_opens_as_a_file_that_seeks(artifacts: Artifacts) -> None:
    ref = await artifacts.put("jobs/1/a.txt", b"hello", "text/plain")

    def end() -> bytes:
        with artifacts.open(ref.uri) as file:
            file.seek(-2, os.SEEK_END)
            return bytes(file.read())

    assert await asyncio.to_thread(end) == b"lo"


async def test_a_changed_artifact_is_noticed(artifacts: Artifacts) -> None:
    ref = await artifacts.put("jobs/1/a.txt", b"hello", "text/plain")
    await artifacts.put("jobs/1/a.txt", b"adieu", "text/plain")
    with pytest.raises(PermanentError, match="is not what it was when it was stored"):
        await artifacts.get(ref)


async def test_a_missing_artifact_is_said_so(artifacts: Artifacts) -> None:
    ref = await artifacts.put("jobs/1/a.txt", b"hello", "text/plain")
    await artifacts.delete_all("jobs/1")
    assert await artifacts.read("jobs/1/a.txt") is None
    with pytest.raises(PermanentError, match="is gone"):
        await artifacts.get(ref)
    with pytest.raises(PermanentError, match="is gone"):
        artifacts.open(ref.uri)


async def test_listing_and_removing_keep_to_their_prefix(artifacts: Artifacts) -> None:
    for path in ("jobs/2/b", "jobs/1/b", "jobs/1/a", "jobs/11/a"):
        await artifacts.put(path, b"", "text/plain")
    assert await artifacts.list("jobs/1/") == ["jobs/1/a", "jobs/1/b"]
    await artifacts.delete_all("jobs/1/")
    await artifacts.delete_all("jobs/1/")
    assert await artifacts.list("jobs/") == ["jobs/11/a", "jobs/2/b"]


@pytest.mark.parametrize("path", ["../secret", "a/../../secret", "", "a//b", "a/./b"])
def test_a_reference_cannot_leave_the_store(artifacts: Artifacts, path: str) -> None:
    with pytest.raises(PermanentError, match="is not an artifact of this mesh"):
        artifacts.path_of(f"{artifacts.base}/{path}")


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "https://example.org/a", "s3://other/a"])
def test_a_reference_to_elsewhere_is_refused(artifacts: Artifacts, uri: str) -> None:
    assert not artifacts.holds(uri)
    with pytest.raises(PermanentError, match="is not an artifact of this mesh"):
        artifacts.path_of(uri)


async def test_a_store_that_fails_may_work_again(tmp_path: Path) -> None:
    artifacts = Artifacts.at(str(tmp_path / "store"))
    (tmp_path / "store" / "jobs").write_text("a file where a folder has to be")
    with pytest.raises(TransientError, match=r"cannot store jobs/1/a\.txt: "):
        await artifacts.put("jobs/1/a.txt", b"hello", "text/plain")


def test_a_folder_that_cannot_be_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PermanentError, match=r"cannot keep artifacts in .*file/store: "):
        Artifacts.at(str(tmp_path / "file" / "store"))


def test_an_address_of_no_store_is_said_so() -> None:
    with pytest.raises(PermanentError, match="gopher://there is not an object store"):
        Artifacts.at("gopher://there")


async def test_a_folder_and_its_url_are_the_same_store(tmp_path: Path) -> None:
    ref = await Artifacts.at(str(tmp_path)).put("a", b"hello", "text/plain")
    assert await Artifacts.at(tmp_path.as_uri()).get(ref) == b"hello"
