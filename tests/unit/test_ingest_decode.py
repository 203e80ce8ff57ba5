from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.container import needs_seeking
from services.ingest.decode import open_media
from services.ingest.guarded import References
from services.runtime.audio import encode_wav
from services.runtime.errors import BadInputError, TransientError, VoxmeshError
from tests.unit.ingest_media import RATE_HZ, encoded, silence, tone
from voxmesh_schemas import MediaFacts

DATA = Path(__file__).resolve().parents[2] / "../shared/data/formats"
PER_MS = 16

Pcm = npt.NDArray[np.int16]


class Pipe(io.BytesIO):
    """A file that only goes forward."""

    def seekable(self) -> bool:
        return False


class Breaking(io.BytesIO):
    """A file that fails half-way."""

    def __init__(self, data: bytes, error: Exception) -> None:
        super().__init__(data)
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > len(self.getvalue()) // 2:
            raise self._error
        return super().read(min(size or 4096, 4096))


def decode(
    data: bytes | io.BytesIO, channels: Literal["mix", "split"] = "mix", name: str = "talk.mka"
) -> tuple[Pcm, MediaFacts, int]:
    """Samples, facts at the end and damaged packets."""
    file = data if isinstance(data, io.BytesIO) else io.BytesIO(data)
    with open_media(file, name, channels) as media:
        pcm = np.concatenate(list(media.blocks()), axis=1)
        return pcm, media.facts(), media.lost_packets


def onset_ms(pcm: Pcm) -> float:
    """Where the first loud sample is."""
    return float(np.argmax(np.abs(pcm[0]) > 3000)) / PER_MS


@pytest.mark.parametrize(
    ("codec", "form", "name", "rate_hz"),
    [
        ("pcm_s16le", "wav", "wav", 44_100),
        ("pcm_f32le", "wav", "wav", 96_000),
        ("pcm_s16be", "aiff", "aiff", 22_050),
        ("flac", "flac", "flac", 48_000),
        ("flac", "ogg", "ogg", 44_100),
        ("libmp3lame", "mp3", "mp3", 44_100),
        ("libopus", "webm", "matroska,webm", 48_000),
        ("aac", "ipod", "mov,mp4,m4a,3gp,3g2,mj2", 44_100),
        ("aac", "adts", "aac", 44_100),
        ("aac", "mpegts", "mpegts", 32_000),
        ("ac3", "ac3", "ac3", 48_000),
        ("pcm_alaw", "wav", "wav", 8_000),
    ],
)
def test_formats_give_the_same_tone(codec: str, form: str, name: str, rate_hz: int) -> None:
    samples = tone(2_000, rate_hz=rate_hz)
    pcm, facts, lost = decode(encoded((0, samples), codec=codec, form=form, rate_hz=rate_hz))
    middle = pcm[0, 4_000:28_000].astype(float)
    spectrum = np.abs(np.fft.rfft(middle))
    assert abs(int(spectrum.argmax()) * 16_000 / 24_000 - 440) < 1
    assert 0.30 < np.sqrt(np.square(middle).mean()) / 32_768 < 0.40  # about 0.5 / sqrt(2)
    assert abs(facts.duration_ms - 2_000) < 100
    assert (facts.container, facts.sample_rate_hz, facts.channels, lost) == (name, rate_hz, 1, 0)


def test_an_instant_stays_where_it_is() -> None:
    click = silence(2_000)
    click[0, RATE_HZ] = 0.9
    pcm, facts, _ = decode(encoded((0, click)))
    assert abs(int(np.abs(pcm[0]).argmax()) - 16_000) <= 1
    assert facts.duration_ms == 2_000


@pytest.mark.parametrize(("form", "codec"), [("mp4", "flac"), ("matroska", "flac"), ("mov", "aac")])
def test_audio_that_starts_late_keeps_its_offset(form: str, codec: str) -> None:
    data = encoded((1_500, tone(1_000)), codec=codec, form=form, video_ms=3_000)
    pcm, facts, _ = decode(data)
    assert onset_ms(pcm) == pytest.approx(1_500, abs=3)
    assert facts.audio_start_ms == pytest.approx(1_500, abs=25)  # AAC begins with its priming
    assert facts.frame_rate == "30000/1001"


def test_a_recording_without_pictures_begins_with_its_audio() -> None:
    pcm, facts, _ = decode(encoded((1_500, tone(1_000))))
    assert onset_ms(pcm) < 2
    assert facts.audio_start_ms == 0


def test_gaps_between_timestamps_are_silence() -> None:
    pcm, facts, _ = decode(encoded((0, tone(1_000)), (1_700, tone(1_000)), video_ms=200))
    gap = pcm[0, 1_010 * PER_MS : 1_690 * PER_MS]
    assert not gap.any()
    assert onset_ms(pcm[:, 1_300 * PER_MS :]) == pytest.approx(400, abs=2)
    assert facts.duration_ms == pytest.approx(2_700, abs=2)


def test_small_jitter_leaves_no_seam() -> None:
    whole = tone(2_000)
    half = RATE_HZ
    pcm, _, _ = decode(encoded((0, whole[:, :half]), (1_030, whole[:, half:])))
    plain, _, _ = decode(encoded((0, whole)))
    assert np.array_equal(pcm, plain)


def test_two_channels_are_mixed_or_kept() -> None:
    stereo = np.concatenate((tone(1_000), silence(1_000)))
    data = encoded((0, stereo), codec="pcm_s16le", form="wav")
    mixed, facts, _ = decode(data)
    split, _, _ = decode(data, "split")
    assert (mixed.shape, split.shape) == ((1, 16_000), (2, 16_000))
    assert not split[1].any()
    assert np.abs(mixed[0] * 2 - split[0].astype(int)).max() <= 2
    assert facts.channels == 2


@pytest.mark.parametrize("channels", [3, 6, 12])
def test_many_channels_are_kept_apart(channels: int) -> None:
    rows = np.concatenate([tone(500) * (row % 2) for row in range(channels)])
    data = encoded((0, rows), codec="pcm_s16le", form="wav")
    split, _, _ = decode(data, "split")
    assert [bool(row.any()) for row in split] == [bool(row % 2) for row in range(channels)]
    mixed, _, _ = decode(data)
    assert mixed.shape == (1, 8_000)
    assert mixed.any()


def test_damaged_packets_are_skipped_and_time_is_kept() -> None:
    pieces = ((0, tone(4_000)), (4_000, silence(2_000)), (6_000, tone(2_000)))
    data = bytearray(encoded(*pieces, codec="flac"))
    at = len(data) // 8
    data[at : at + 6_000] = bytes(6_000)
    pcm, facts, lost = decode(bytes(data))
    assert lost > 0
    assert facts.duration_ms == pytest.approx(8_000, abs=3)
    assert onset_ms(pcm[:, 5_000 * PER_MS :]) == pytest.approx(1_000, abs=3)


def test_silence_is_a_recording() -> None:
    pcm, facts, _ = decode(encoded((0, silence(3_000))))
    assert not pcm.any()
    assert facts.duration_ms == 3_000


def test_a_pipe_is_read_front_to_back() -> None:
    data = encoded((0, tone(3_000)), codec="flac", form="flac")
    assert np.array_equal(decode(Pipe(data))[0], decode(data)[0])


def test_facts_are_known_before_the_audio_is_read() -> None:
    with open_media(io.BytesIO(encoded((0, tone(2_000)))), "talk.mka") as media:
        assert media.declared_ms == 2_000
        assert media.facts() == MediaFacts(
            name="talk.mka",
            duration_ms=2_000,
            container="matroska,webm",
            audio_codec="pcm_s16le",
            sample_rate_hz=RATE_HZ,
        )


def video_only() -> bytes:
    from tests.unit import ingest_media

    file = io.BytesIO()
    with ingest_media.av.open(file, "w", format="mp4") as container:
        ingest_media._draw(container, ingest_media._video(container), 500)
    return file.getvalue()


def bad_inputs() -> Iterator[Any]:
    mp4 = encoded((0, tone(1_000)), codec="aac", form="mp4")
    yield pytest.param(b"", "is empty", id="empty")
    yield pytest.param(b"only words\n" * 99, "is not audio or video", id="text")
    noise = np.random.default_rng(1).bytes(99_999)
    yield pytest.param(noise, "not audio or video|too damaged", id="random")
    yield pytest.param(mp4[: len(mp4) // 2], "index is missing or damaged", id="cut mp4")
    yield pytest.param(video_only(), "has no audio track", id="video only")
    yield pytest.param(
        b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n", "not audio or video|only names", id="playlist"
    )
    yield pytest.param(
        b"ffconcat version 1.0\nfile 'talk.wav'\n", "not audio or video|only names", id="concat"
    )
    yield pytest.param(
        encode_wav(np.zeros(0, dtype=np.int16)), "without any audio", id="zero length"
    )


@pytest.mark.parametrize(("data", "reason"), list(bad_inputs()))
def test_what_cannot_be_decoded_is_refused_in_a_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason) as refusal:
        decode(data, name="talk.mp4")
    assert "\n" not in str(refusal.value)


def test_a_playlist_opens_nothing_of_its_own_accord() -> None:
    listing = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://x.example/a.ts\n"
    with pytest.raises(BadInputError, match="only names others"):
        decode(listing + b"#EXT-X-ENDLIST\n", name="list.m3u8")


def test_a_stream_in_segments_is_read_where_it_may_be() -> None:
    segments = {
        f"http://x.example/{name}.ts": encoded((begin, tone(1_000)), codec="aac", form="mpegts")
        for name, begin in (("a", 0), ("b", 1_000))
    }
    listing = (
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n#EXTINF:1,\nb.ts\n#EXT-X-ENDLIST\n"
    )
    references = References("http://x.example/list.m3u8", lambda url: io.BytesIO(segments[url]))
    with open_media(io.BytesIO(listing.encode()), "list", references=references) as media:
        total = sum(block.shape[1] for block in media.blocks())
        assert media.facts().container == "hls"
    assert total / PER_MS == pytest.approx(2_000, abs=100)


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (TransientError("the line is down"), TransientError),
        (BadInputError("enough"), BadInputError),
        (OSError("disk"), TransientError),
    ],
)
def test_a_file_that_fails_is_not_taken_for_a_short_one(
    error: Exception, raised: type[Exception]
) -> None:
    data = encoded((0, tone(9_000)), codec="libmp3lame", form="mp3")
    with pytest.raises(raised):
        decode(Breaking(data, error))


def test_leaving_early_leaves_no_thread() -> None:
    before = threading.active_count()
    with open_media(io.BytesIO(encoded((0, tone(20_000)))), "talk.mka") as media:
        blocks = media.blocks()
        next(blocks)
        assert threading.active_count() > before
    assert threading.active_count() == before


@pytest.fixture(scope="module")
def seeds() -> list[bytes]:
    """One recording of each kind, to be damaged."""
    kinds = [("aac", "mp4"), ("flac", "flac"), ("libmp3lame", "mp3"), ("libopus", "webm")]
    kinds += [("aac", "mpegts"), ("pcm_s16le", "wav"), ("flac", "ogg"), ("aac", "mov")]
    return [
        encoded((0, tone(700, rate_hz=48_000)), codec=c, form=f, rate_hz=48_000) for c, f in kinds
    ]


@settings(deadline=None, max_examples=150, derandomize=True)
@given(
    kind=st.integers(0, 7),
    keep=st.floats(0.02, 1.0),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=30),
    channels=st.sampled_from(["mix", "split"]),
    pipe=st.booleans(),
)
def test_no_damage_leads_to_anything_but_audio_or_a_sentence(
    seeds: list[bytes],
    kind: int,
    keep: float,
    changes: list[tuple[float, int]],
    channels: Literal["mix", "split"],
    pipe: bool,
) -> None:
    data = bytearray(seeds[kind])
    for place, value in changes:
        data[int(place**3 * (len(data) - 1))] = value  # more of them in the headers
    damaged = bytes(data[: int(keep * len(data))])
    sentence = ""
    try:
        decode(Pipe(damaged) if pipe else damaged, channels)
    except VoxmeshError as error:
        sentence = str(error)
    assert "\n" not in sentence


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the shared recordings (../shared/data)")
@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("mono-24bit-44k.flac", 2_745),
        ("mono-8bit-44k.wav", 2_745),
        ("stereo-16bit-44k.aiff", 2_745),
        ("stereo-32bit-44k.wav", 2_745),
        ("silence-1s.wav", 1_000),
        ("broken/awful.wav", "less audio than anyone can hear"),
        ("broken/bad.wav", "is not audio or video"),
        ("broken/evil.wav", "is not audio or video"),
        ("broken/null.wav", "without any audio"),
    ],
)
def test_sample_formats_and_broken_files(name: str, outcome: int | str) -> None:
    data = (DATA / name).read_bytes()
    if isinstance(outcome, int):
        assert decode(data)[1].duration_ms == outcome
    else:
        with pytest.raises(BadInputError, match=outcome):
            decode(data)


@pytest.mark.parametrize(
    ("head", "needed"),
    [
        (b"\0\0\0\x14ftypisom" + bytes(8) + b"\0\0\0\x08free\0\0\x10\0mdat", True),
        (b"\0\0\0\x14ftypisom" + bytes(8) + b"\0\0\x10\0moov", False),
        (b"\0\0\0\x08wide\0\0\0\0mdat", True),
        (b"caff\0\1\0\0", True),
        (b"FORM\0\0\0\0AIFF", True),
        (b"RIFF\0\0\0\0WAVE", False),
        (b"ID3\4\0\0\0\0\0\0", False),
        (b"", False),
    ],
)
def test_containers_that_must_be_read_back_and_forth_are_known(head: bytes, needed: bool) -> None:
    assert needs_seeking(head) is needed
