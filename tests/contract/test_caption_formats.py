"""ASS, TTML, SCC and HLS are understood by readers we did not write.

ASS: pysubs2 and FFmpeg; TTML: ttconv; SCC: ttconv, pycaption and FFmpeg's decoder of CEA-608;
WebVTT and SubRip: FFmpeg.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import av
import pysubs2
import pytest
import webvtt
from hypothesis import HealthCheck, Phase, assume, given, settings
from ttconv.imsc import reader as imsc_reader

from services.runtime.errors import BadInputError
from services.subtitles.ass import to_ass
from services.subtitles.captions import Captions
from services.subtitles.checking import Caption
from services.subtitles.hls import PLAYLIST, to_hls
from services.subtitles.passages import Labels
from services.subtitles.readers.scc import read_scc
from services.subtitles.readers.timed_text import captions_of
from services.subtitles.render import render
from services.subtitles.scc import screens, to_scc
from services.subtitles.ttml import to_ttml
from tests.conftest import ROOT, without
from tests.subtitle_transcripts import any_transcript, feeling, said, transcript
from voxmesh_schemas import Emotion, OutputFormat, SubtitleOptions, Transcript

HERE = Path(__file__).parent / "scc"
FRAME_MS = 34
WORD_JOINER = "\u2060"

TALK = transcript(
    said("Did you have a quiet weekend? I painted the kitchen.", 3000, word_ms=350),
    said("Señor Müller's café — half price ♪♪ “naïve” * ½ & ®!", 8000, speaker="S2", word_ms=500),
    said("Stop it!", 15_000, emotion=feeling(Emotion.ANGRY, 0.9)),
    said("I complained to the man at the desk and he was rude.", 17_000, word_ms=400),
    said("That is just wrong.", 19_500, speaker="S2", word_ms=400),
    said("An hour later, nothing at all had changed.", 3_600_000, word_ms=400),
)


def _captions(made: Transcript, **options: Any) -> Captions:
    return Captions(made, SubtitleOptions.model_validate(options, strict=False))


def _plain(text: str) -> str:
    return text.replace(WORD_JOINER, "").replace("\uff5b", "{").replace("\uff5d", "}")


# --- ASS


@settings(max_examples=60)
@given(any_transcript())
def test_pysubs2_sees_every_cue_of_an_ass_file(made: Transcript) -> None:
    captions = _captions(made, emotion="none")
    read = pysubs2.SSAFile.from_string(to_ass(captions), format_="ass")
    for event, cue in zip(read, captions.cues(), strict=True):
        assert abs(event.start - cue.start_ms) <= 5
        assert abs(event.end - cue.end_ms) <= 10
        lines = [line.replace("{", "\uff5b").replace("}", "\uff5d") for line in cue.lines]
        assert _plain(event.plaintext) == _plain("\n".join(lines))
        assert event.style in read.styles


@settings(max_examples=30)
@given(any_transcript())
def test_karaoke_in_ass_sings_every_word_for_as_long_as_its_cue(made: Transcript) -> None:
    captions = _captions(made, emotion="none", karaoke=True)
    read = pysubs2.SSAFile.from_string(to_ass(captions), format_="ass")
    for event, cue in zip(read, captions.cues(), strict=True):
        sung = sum(int(length) for length in re.findall(r"\{\\k(\d+)\}", event.text))
        assert abs(sung * 10 - (cue.end_ms - cue.start_ms)) <= 10
        assert _plain(event.plaintext) == _plain("\n".join(cue.lines))


# --- FFmpeg


def _demuxed(data: bytes, form: str) -> list[tuple[int, int]]:
    """Start and length in milliseconds of every packet."""
    with av.open(io.BytesIO(data), format=form) as container:
        return [
            (round(packet.pts * packet.time_base * 1000), _length(packet))
            for packet in container.demux()
            if packet.pts is not None and packet.time_base is not None
        ]


def _length(packet: av.Packet[Any]) -> int:
    return round((packet.duration or 0) * (packet.time_base or 0) * 1000)


@pytest.mark.parametrize(
    ("form", "demuxer", "slack"),
    [
        (OutputFormat.VTT, "webvtt", 0),
        (OutputFormat.SRT, "srt", 0),
        (OutputFormat.ASS, "ass", 10),
    ],
)
def test_ffmpeg_demuxes_every_cue_at_its_time(form: OutputFormat, demuxer: str, slack: int) -> None:
    captions = _captions(TALK)
    found = _demuxed(render(captions, form), demuxer)
    labels = Labels.NAMES if form is OutputFormat.SRT else Labels.NONE
    meant = [(cue.start_ms, cue.end_ms - cue.start_ms) for cue in captions.cues(labels)]
    for seen, cue in zip(found, meant, strict=True):
        assert seen == pytest.approx(cue, abs=slack)


def test_ffmpeg_decodes_the_text_of_scc() -> None:
    captions = _captions(TALK)
    with av.open(io.BytesIO(to_scc(captions).encode()), format="scc") as container:
        texts = [
            subtitle.dialogue.decode()
            for packet in container.demux()
            if packet.pts is not None
            for subtitle in packet.decode()
        ]
    shown = " ".join(re.sub(r"\\N|\\h|\{[^}]*\}", " ", text) for text in texts).split()
    meant = [word for screen in screens(captions) for row in screen.rows for word in row.split()]
    # FFmpeg takes the second of two like special characters for an echo of the first.
    assert _squeezed(shown) == [word.replace("♪♪", "♪") for word in _squeezed(meant)]


# --- TTML


def _ttml(made: Transcript) -> list[Caption]:
    root = ElementTree.fromstring(to_ttml(_captions(made)))  # noqa: S314 - our own
    document = imsc_reader.to_model(ElementTree.ElementTree(root))
    return captions_of(document)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(any_transcript())
def test_ttconv_reads_every_cue_of_ttml_back(made: Transcript) -> None:
    cues = _captions(made).cues()
    for seen, cue in zip(_ttml(made), cues, strict=True):
        assert (seen.start_ms, seen.end_ms, seen.lines) == (cue.start_ms, cue.end_ms, cue.lines)


def test_ttml_places_simultaneous_cues_apart_and_names_agents() -> None:
    text = to_ttml(_captions(TALK))
    overlapping = [seen.place for seen in _ttml(TALK) if 17_000 <= seen.start_ms <= 20_000]
    assert len(set(overlapping)) > 1
    assert '<ttm:name type="alias">Anna</ttm:name>' in text
    assert 'ttm:agent="speaker-1" style="colour-speaker-1 angry"' in text


# --- SCC


@pytest.fixture(scope="session")
def pycaption_folder() -> Path:
    """A folder for pycaption alone: its wheel brings a package `tests` that hides ours."""
    folder = ROOT / ".cache" / "scc-readers"
    wanted = (HERE / "requirements.txt").read_text()
    installed = folder / "requirements.txt"
    if not (installed.exists() and installed.read_text() == wanted):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        what = ["--quiet", "--target", str(folder), "-r", str(HERE / "requirements.txt")]
        if not any(_succeeds([*pip, "install", *what]) for pip in _pips()):
            shutil.rmtree(folder)
            without("no pycaption: neither uv nor pip can install it (is there a network?)")
        installed.write_text(wanted)
    return folder


def _pips() -> Iterator[list[str]]:
    yield [sys.executable, "-m", "pip"]
    for uv in (os.environ.get("UV"), str(ROOT / ".venv-uv/bin/uv"), shutil.which("uv")):
        if uv:
            yield [uv, "pip"]


def _succeeds(command: list[str]) -> bool:
    try:
        environment = {**os.environ, "UV_PYTHON": sys.executable}
        return subprocess.run(command, env=environment, capture_output=True).returncode == 0
    except OSError:
        return False


def _by_pycaption(files: list[str], folder: Path) -> list[list[tuple[float, float, list[str]]]]:
    done = subprocess.run(
        [sys.executable, HERE / "read.py"],
        input=json.dumps(files),
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[list[tuple[float, float, list[str]]]] = json.loads(done.stdout)
    return found


# Readers differ in the characters of Unicode that they take for some of CEA-608's.
ALIKE = str.maketrans("\u2019\u2014\u2501\u028c\u2503\u2502\u2120", "'--^||\u2120")


def _squeezed(rows: Iterable[str]) -> list[str]:
    """Rows without indents."""
    return [" ".join(row.translate(ALIKE).split()) for row in rows]


@pytest.mark.parametrize("drop_frame", [True, False])
def test_ttconv_reads_scc_back_within_a_frame(drop_frame: bool) -> None:
    captions = _captions(TALK, drop_frame=drop_frame)
    reading = read_scc(to_scc(captions))
    assert reading.faults == ()
    meant = screens(captions)
    for (screen, after), seen in zip(pairwise([*meant, meant[-1]]), reading.captions, strict=True):
        assert abs(seen.start_ms - screen.start_ms) <= FRAME_MS
        assert _squeezed(seen.lines) == _squeezed(screen.rows)
        if after.start_ms - screen.end_ms > 3 * FRAME_MS:
            assert abs(seen.end_ms - screen.end_ms) <= FRAME_MS


@pytest.mark.parametrize("drop_frame", [True, False])
def test_pycaption_reads_scc_back_within_two_frames(
    drop_frame: bool, pycaption_folder: Path
) -> None:
    """It takes drop-frame time code for the time itself, which is off by up to a frame more."""
    captions = _captions(TALK, drop_frame=drop_frame)
    (found,) = _by_pycaption([to_scc(captions)], pycaption_folder)
    for (start, _, lines), screen in zip(found, screens(captions), strict=True):
        assert abs(start - screen.start_ms) <= 2 * FRAME_MS
        assert _squeezed(lines) == _squeezed(screen.rows)


# Each example starts a program, so they come in batches; to shrink one would take minutes.
@settings(max_examples=40, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(any_transcript())
def test_scc_of_any_transcript_keeps_to_the_channel_and_shows_all(made: Transcript) -> None:
    captions = _captions(made)
    try:
        text = to_scc(captions)
    except BadInputError:
        assume(False)
    assume(len(screens(captions)) > 0)
    reading = read_scc(text)
    assert reading.faults == ()
    starts = [seen.start_ms for seen in reading.captions]
    assert starts == sorted(starts)
    assert [_squeezed(seen.lines) for seen in reading.captions] == [
        _squeezed(screen.rows) for screen in screens(captions)
    ]


# --- HLS


def test_hls_segments_are_webvtt_and_hold_every_cue_that_they_show() -> None:
    captions = _captions(TALK, hls_segment_ms=4000, hls_mpegts=900_000)
    with zipfile.ZipFile(io.BytesIO(to_hls(captions))) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    playlist = files.pop(PLAYLIST)
    names = re.findall(r"#EXTINF:[\d.]+,\n(\S+)", playlist)
    assert names == sorted(files)
    assert playlist.startswith("#EXTM3U\n")
    assert playlist.endswith("#EXT-X-ENDLIST\n")
    for number, name in enumerate(names):
        head = "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n"
        assert files[name].startswith(head)
        begin, end = number * 4000, number * 4000 + 4000
        meant = [c for c in captions.cues() if c.start_ms < end and c.end_ms > begin]
        read = webvtt.from_string(files[name].replace(head, "WEBVTT\n"))
        assert [caption.text for caption in read.captions] == [
            _webvtt_text("\n".join(cue.lines)) for cue in meant
        ]


def _webvtt_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
