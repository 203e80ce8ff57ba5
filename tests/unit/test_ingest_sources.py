from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from shutil import copyfileobj

import pytest

from services.ingest.fetch import HttpFile
from services.ingest.recording import open_recording
from services.ingest.sources import SourcePolicy, expand
from services.runtime.errors import BadInputError, PermanentError, TransientError
from tests.unit.ingest_media import encoded, tone
from tests.unit.ingest_server import Site, serving
from voxmesh_schemas import MediaFacts, Source

OPEN = SourcePolicy(local_files=True, private_networks=True, retry_wait_s=0.0)
"""Everything allowed, and quick to try again."""


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as running:
        yield running


@pytest.fixture(scope="module")
def talk() -> bytes:
    return encoded((0, tone(40_000)), codec="flac", form="flac")


@pytest.fixture(scope="module")
def late_index() -> bytes:
    """An MP4 whose index comes last."""
    return encoded((0, tone(40_000)), codec="aac", form="mp4")


def heard(uri: str, policy: SourcePolicy = OPEN) -> tuple[str, MediaFacts]:
    """A digest of all chunks, and the facts after them."""
    digest = hashlib.sha256()
    with open_recording(Source(uri=uri), policy=policy) as recording:
        for chunk in recording.chunks():
            digest.update(f"{chunk.index} {chunk.start_ms} {chunk.end_ms}".encode())
            digest.update(chunk.samples.tobytes())
        return digest.hexdigest(), recording.facts


def from_disk(data: bytes, folder: Path) -> str:
    path = folder / "talk"
    path.write_bytes(data)
    return heard(str(path))[0]


def test_a_file_is_named_and_timed(talk: bytes, tmp_path: Path) -> None:
    (tmp_path / "My talk.flac").write_bytes(talk)
    path = tmp_path / "My talk.flac"
    digest, facts = heard(str(path))
    assert (facts.name, facts.duration_ms) == ("My talk.flac", 40_000)
    assert heard(path.as_uri())[0] == digest


def test_an_open_file_is_taken_as_it_is(talk: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(talk)
    with (tmp_path / "x").open("rb") as file:
        with open_recording(file, "upload.flac") as recording:
            assert [chunk.start_ms for chunk in recording.chunks()][:1] == [0]
            assert recording.facts.name == "upload.flac"
            assert recording.facts.duration_ms == 40_000
        assert not file.closed


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("nowhere.mp4", "nowhere.mp4 does not exist"),
        (".", "is a folder"),
        ("/dev/zero", "zero is a device or a pipe"),
        ("file://elsewhere/talk.mp3", "another machine"),
        ("rtsp://camera/1", "rtsp:// addresses cannot be read"),
        ("bad\0name", "cannot be opened|does not exist"),
        ("x" * 5_000, "cannot be opened"),
        ("http://", "not a valid web address"),
        ("http://[::1", "not a valid web address"),
    ],
)
def test_what_is_not_a_recording_is_refused_in_a_sentence(uri: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        heard(uri)


def test_a_strict_mesh_reads_nothing_of_its_own(site: Site, talk: bytes, tmp_path: Path) -> None:
    (tmp_path / "talk.flac").write_bytes(talk)
    with pytest.raises(BadInputError, match="upload the recording"):
        heard(str(tmp_path / "talk.flac"), SourcePolicy())
    with pytest.raises(BadInputError, match="private network"):
        heard(f"{site.url}/talk.flac", SourcePolicy())
    assert site.asked == []


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("kind", ["talk", "late_index"])
def test_the_web_gives_what_the_disk_gives(
    site: Site, kind: str, ranges: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    data: bytes = request.getfixturevalue(kind)
    site.files["/a/talk"], site.ranges = data, ranges
    digest, facts = heard(f"{site.url}/a/talk")
    assert digest == from_disk(data, tmp_path)
    assert facts.name == "talk"


def test_a_copy_on_disk_is_gone_afterwards(
    site: Site, late_index: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    site.files["/talk.mp4"], site.ranges = late_index, False
    heard(f"{site.url}/talk.mp4")
    assert list(tmp_path.iterdir()) == []


def test_redirects_are_followed(site: Site, talk: bytes) -> None:
    site.files["/b"] = talk
    site.redirects = {"/a": "/b"}
    assert heard(f"{site.url}/a")[1].duration_ms == 40_000
    site.redirects = {"/a": "/c", "/c": "/a"}
    with pytest.raises(BadInputError, match="redirects in circles"):
        heard(f"{site.url}/a")


def test_a_dropped_connection_is_taken_up_where_it_broke(
    site: Site, talk: bytes, tmp_path: Path
) -> None:
    site.files["/talk.flac"], site.drop_after = talk, [10_000, 20_000, 5]
    assert heard(f"{site.url}/talk.flac")[0] == from_disk(talk, tmp_path)
    assert [asked[1] for asked in site.asked] == [
        "bytes=0-",
        "bytes=10000-",
        "bytes=30000-",
        "bytes=30005-",
    ]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_connection_that_keeps_breaking_is_told(site: Site, talk: bytes, ranges: bool) -> None:
    site.files["/talk.flac"], site.ranges = talk, ranges
    site.drop_after = [10_000] + [0] * 20
    with pytest.raises(TransientError, match=r"connection to 127\.0\.0\.1 broke"):
        heard(f"{site.url}/talk.flac")


@pytest.mark.parametrize(
    ("status", "raised", "words"),
    [
        (401, BadInputError, "does not give the recording to everyone"),
        (403, BadInputError, "does not give the recording to everyone"),
        (404, BadInputError, "has no recording at that address"),
        (410, BadInputError, "has no recording at that address"),
        (416, BadInputError, "is empty"),
        (429, TransientError, "cannot serve the recording now"),
        (503, TransientError, "cannot serve the recording now"),
    ],
)
def test_refusals_of_a_server_are_sentences(
    site: Site, status: int, raised: type[Exception], words: str
) -> None:
    site.statuses["/talk.mp3"] = status
    with pytest.raises(raised, match=words) as refusal:
        heard(f"{site.url}/talk.mp3?token=secret")
    assert "secret" not in str(refusal.value)
    if isinstance(refusal.value, TransientError):
        assert refusal.value.retry_after_s == 7


def test_a_recording_that_is_too_large_is_refused(site: Site, talk: bytes) -> None:
    site.files["/talk.flac"] = talk
    small = SourcePolicy(private_networks=True, most_bytes=10_000)
    with pytest.raises(BadInputError, match="larger than"):
        heard(f"{site.url}/talk.flac", small)
    site.ranges = False
    with pytest.raises(BadInputError, match="larger than"):
        heard(f"{site.url}/talk.flac", small)


def test_a_recording_that_changes_on_the_way_is_told(site: Site, talk: bytes) -> None:
    site.files["/talk.flac"], site.drop_after = talk, [10_000]
    file = HttpFile(f"{site.url}/talk.flac", OPEN, {})
    assert file.read(100)
    site.ranges = False
    with closing(file), pytest.raises(PermanentError, match="changed while it was read"):
        copyfileobj(file, BytesIO())


def test_nobody_there_is_worth_another_try(site: Site) -> None:
    with pytest.raises(TransientError, match=r"127\.0\.0\.1 cannot be reached"):
        heard("http://127.0.0.1:1/talk.mp3")


def test_reading_jumps_only_when_it_must(site: Site) -> None:
    data = bytes(range(256)) * 20_000
    site.files["/x"] = data
    file = HttpFile(f"{site.url}/x", OPEN, {})
    assert file.head(10) == data[:10]
    assert file.read(5) == data[:5]
    file.seek(100_000)
    assert file.read(3) == data[100_000:100_003]
    assert len(site.asked) == 1
    assert file.seek(-3, 2) == len(data) - 3
    assert file.seek(100_003) == 100_003
    assert file.read(2) == data[100_003:100_005]
    assert len(site.asked) == 1
    file.seek(-3, 2)
    assert file.read(9) == data[-3:]
    assert file.read(9) == b""
    assert [asked[1] for asked in site.asked] == ["bytes=0-", f"bytes={len(data) - 3}-"]
    file.close()


def page(*media: str, title: str = "A talk") -> bytes:
    players = "".join(f'<video src="{name}"></video>' for name in media)
    return (
        f'<!doctype html><html lang="en"><head><title>{title}</title></head>'
        f"<body>{players}</body></html>"
    ).encode()


def test_a_page_leads_to_its_recording(site: Site, talk: bytes) -> None:
    site.files = {"/watch": page("/talk.flac"), "/talk.flac": talk}
    site.types["/watch"] = "text/html; charset=utf-8"
    _, facts = heard(f"{site.url}/watch")
    assert (facts.name, facts.duration_ms) == ("A talk", 40_000)
    assert facts.page_url == f"{site.url}/watch"


def test_a_page_with_several_recordings_is_a_playlist(site: Site, talk: bytes) -> None:
    site.files = {"/list": page("/1.flac", "/2.flac", title="Talks"), "/1.flac": talk}
    site.types["/list"] = "text/html"
    source = Source(uri=f"{site.url}/list")
    with pytest.raises(BadInputError, match="--playlist"):
        heard(source.uri)
    assert expand(source, OPEN) == [source]
    policy = SourcePolicy(private_networks=True, playlists=True)
    assert expand(source, policy) == [
        Source(uri=f"{site.url}/1.flac", name="Talks (1)"),
        Source(uri=f"{site.url}/2.flac", name="Talks (2)"),
    ]


def test_a_page_without_a_recording_is_refused(site: Site) -> None:
    site.files, site.types = {"/about": page()}, {"/about": "text/html"}
    with pytest.raises(BadInputError, match=r"no recording was found at 127\.0\.0\.1"):
        heard(f"{site.url}/about")


def test_a_page_that_breaks_off_is_told_in_a_sentence(site: Site, talk: bytes) -> None:
    site.files, site.types = {"/watch": page("/gone.flac")}, {"/watch": "text/html"}
    with pytest.raises(BadInputError, match="has no recording at that address"):
        heard(f"{site.url}/watch")


def test_a_stream_in_segments_is_put_together(site: Site) -> None:
    for name, begin in (("a", 0), ("b", 2_000)):
        site.files[f"/hls/{name}.ts"] = encoded((begin, tone(2_000)), codec="aac", form="mpegts")
    site.files["/hls/list"] = (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n#EXTINF:2,\nb.ts\n#EXT-X-ENDLIST\n"
    )
    _, facts = heard(f"{site.url}/hls/list")
    assert facts.container == "hls"
    assert facts.duration_ms == pytest.approx(4_000, abs=100)


def test_a_stream_may_not_lead_into_the_machine(site: Site) -> None:
    site.files["/list.m3u8"] = (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(BadInputError):
        heard(f"{site.url}/list.m3u8")
