"""Readers we did not write understand every file that captions leave.

WebVTT: W3C's validating parser, vtt.js, webvtt-py and pysubs2; SubRip: pysubs2; Markdown:
markdown-it. The two for JavaScript come from npm, in the exact versions of `webvtt/package.json`.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from html import unescape
from pathlib import Path
from typing import Any

import pysubs2
import pytest
import webvtt
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from services.subtitles.captions import Captions
from services.subtitles.cues import Cue, build_cues
from services.subtitles.graphemes import visible
from services.subtitles.markdown import escape
from services.subtitles.passages import Labels
from services.subtitles.render import render
from services.subtitles.srt import to_srt
from services.subtitles.webvtt import to_webvtt
from tests.conftest import ROOT, without
from tests.subtitle_transcripts import any_transcript, feeling, said, transcript
from voxmesh_schemas import Emotion, Notice, OutputFormat, SubtitleOptions, Transcript

HERE = Path(__file__).parent / "webvtt"
WORD_JOINER = "\u2060"

# pysubs2 takes any line with two times for the times of a cue, wherever it stands.
STAMPS = re.compile(r"00:00:01.000 .*00:00:02.000")

WILD = transcript(
    said("Tom & Jerry <b>bold</b> said --> that 3 < 4 > 2 &amp; so on.", word_ms=300),
    said("NOTE STYLE WEBVTT 42", 2000, speaker="S2", emotion=feeling(Emotion.ANGRY, 0.9)),
    said("Who goes there?", 2500, speaker=None),
    said("Four days later.", 400 * 3600 * 1000),
    names=('A <b> & "C" --> }', "María-José\nO'Brien :: {x}"),
    title="x --> y\n\n00:00:01.000 --> 00:00:02.000",
    warnings=(Notice(code="lost-chunk", message="gone --> away\n\nfor good", start_ms=5),),
)


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The JavaScript readers, installed once into the ignored cache folder."""
    folder = ROOT / ".cache" / "webvtt-readers"
    package = (HERE / "package.json").read_text()
    installed = folder / "package.json"
    if not (installed.exists() and installed.read_text() == package):
        if not (shutil.which("node") and shutil.which("npm")):
            without("no JavaScript readers: node and npm are not installed")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        installed.write_text(package)
        command = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            shutil.rmtree(folder)
            without("no JavaScript readers: npm cannot install them (is there a network?)")
    return folder / "node_modules"


def _read(files: list[str], node_modules: Path) -> list[dict[str, Any]]:
    """What the JavaScript readers make of WebVTT files."""
    done = subprocess.run(
        ["node", HERE / "read.js"],
        input=json.dumps(files),
        env={**os.environ, "NODE_PATH": str(node_modules)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


TIMED = SubtitleOptions(karaoke=True)


def _check(made: Transcript, found: dict[str, Any]) -> None:
    """Both readers see the cues of a transcript: texts, voices, times and places."""
    cues = build_cues(made)
    assert found["validated"]["errors"] == []
    assert [_seen(cue) for cue in found["validated"]["cues"]] == [_meant(cue) for cue in cues]
    # vtt.js is older than STYLE and says so once; whatever else it says is an error of ours.
    assert found["played"]["errors"] == ["Malformed timestamp: ::cue {"]
    played = [(cue["id"], cue["start"], cue["end"]) for cue in found["played"]["cues"]]
    assert played == [(str(n), cue.start_ms, cue.end_ms) for n, cue in enumerate(cues, 1)]


def _seen(cue: dict[str, Any]) -> tuple[int, int, str, object]:
    line = 0 if cue["line"] == "auto" else cue["line"]
    return cue["start"], cue["end"], cue["text"], line


def _meant(cue: Cue) -> tuple[int, int, str, object]:
    line = -(cue.lines_below + len(cue.lines)) if cue.lines_below else 0
    return cue.start_ms, cue.end_ms, "\n".join(cue.lines), line


def test_javascript_readers_see_every_cue(node_modules: Path) -> None:
    (found,) = _read([to_webvtt(Captions(WILD))], node_modules)
    _check(WILD, found)
    # The standard decodes a name's escapes; W3C's parser leaves that to whoever uses it.
    voices = {unescape(cue["voice"] or "") for cue in found["validated"]["cues"]}
    assert voices == {'A <b> & "C" --> }', "María-José O'Brien :: {x}", ""}
    assert ["angry", "strong"] in [cue["classes"] for cue in found["validated"]["cues"]]
    assert "\n\n" not in "".join(found["validated"]["styles"])


# Each example starts a program, so they come in batches; to shrink one would take minutes.
@settings(max_examples=8, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(any_transcript(), min_size=8, max_size=8))
def test_javascript_readers_see_the_cues_of_any_transcript(
    node_modules: Path, made: list[Transcript]
) -> None:
    files = [to_webvtt(Captions(one, TIMED if at % 2 else None)) for at, one in enumerate(made)]
    for one, read in zip(made, _read(files, node_modules), strict=True):
        _check(one, read)


def test_webvtt_py_reads_voices_and_lines() -> None:
    read = webvtt.from_string(
        to_webvtt(Captions(transcript(said("Hi there, Mark."), names=("Anna",))))
    )
    (caption,) = read.captions
    assert (caption.voice, caption.lines) == ("Anna", ["<v Anna>Hi there, Mark."])
    assert caption.start == "00:00:00.000"


@settings(max_examples=40)
@given(any_transcript())
def test_webvtt_py_and_pysubs2_see_every_cue_of_any_transcript(made: Transcript) -> None:
    cues = build_cues(made)
    file = to_webvtt(Captions(made))
    assume(not STAMPS.search(file))
    assert len(webvtt.from_string(file).captions) == len(cues)
    read = pysubs2.SSAFile.from_string(file, format_="vtt")
    assert [(event.start, event.end) for event in read] == [(c.start_ms, c.end_ms) for c in cues]


def _srt_texts(made: Transcript) -> list[str]:
    read = pysubs2.SSAFile.from_string(to_srt(Captions(made)), format_="srt")
    return [event.text.replace("\\N", "\n").replace(WORD_JOINER, "") for event in read]


@settings(max_examples=40)
@given(any_transcript())
def test_pysubs2_sees_every_word_of_a_subrip_file(made: Transcript) -> None:
    """Names stand before the lines; the lines themselves come through whole."""
    cues = build_cues(made, labels=Labels.NAMES)
    assume(not STAMPS.search(render(Captions(made), OutputFormat.SRT).decode()))
    if cues:
        for text, cue in zip(_srt_texts(made), cues, strict=True):
            lines = "\n".join(cue.lines).replace(WORD_JOINER, "")
            assert text.replace("\n", " ").endswith(lines.replace("\n", " "))


def test_subrip_names_whoever_speaks_after_another() -> None:
    made = transcript(
        said("I complained to the man at the desk, and he was very rude to me.", word_ms=300),
        said("That is just wrong.", 1800, speaker="S2", word_ms=300),
    )
    texts = _srt_texts(made)
    assert [re.match(r"(Anna|Mark): ", text) is not None for text in texts] == [True] * len(texts)


@pytest.mark.parametrize("kind", OutputFormat)
def test_silence_leaves_valid_files_that_say_so(kind: OutputFormat, node_modules: Path) -> None:
    made = transcript(title="Silence & <more>")
    data = render(Captions(made), kind)
    text = "" if kind is OutputFormat.HLS else data.decode()
    match kind:
        case OutputFormat.VTT:
            assert _read([text], node_modules)[0]["validated"]["errors"] == []
            assert "No speech was recognised." in text
        case OutputFormat.SRT:
            assert _srt_texts(made) == ["[no speech recognised]"]
        case OutputFormat.JSON:
            assert Transcript.model_validate_json(text) == made
        case OutputFormat.MARKDOWN | OutputFormat.TTML | OutputFormat.TEXT:
            assert "No speech was recognised." in text
        case OutputFormat.ASS:
            assert len(pysubs2.SSAFile.from_string(text)) == 0
        case OutputFormat.SCC:
            assert text == "Scenarist_SCC V1.0\n"
        case OutputFormat.CSV | OutputFormat.TSV:
            assert len(text.splitlines()) == 1
        case OutputFormat.HLS:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                assert len(archive.namelist()) == 2


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_markdown_shows_any_text_as_it_is(text: str) -> None:
    reader = MarkdownIt("commonmark").enable("table")
    (shown,) = [t for t in reader.parse(f"**Anna:** {escape(text)}") if t.type == "inline"]
    parts = [child.content for child in shown.children or []]
    assert "".join(parts).removeprefix("Anna:").strip() == visible(text).strip()


@settings(max_examples=40)
@given(any_transcript())
def test_markdown_tables_hold_every_word(made: Transcript) -> None:
    tokens = (
        MarkdownIt("commonmark")
        .enable("table")
        .parse(render(Captions(made), OutputFormat.MARKDOWN).decode())
    )
    rows = sum(token.type == "tr_open" for token in tokens)
    words = sum(len(utterance.words) for utterance in made.utterances)
    headers = 2 if made.utterances else 0
    assert rows == headers + len(made.utterances) + words
    assert not any(token.type.startswith("html") for token in tokens)


@given(any_transcript())
def test_json_is_the_transcript(made: Transcript) -> None:
    data = render(Captions(made), OutputFormat.JSON)
    assert Transcript.model_validate_json(data) == made
    assert render(Captions(made), OutputFormat.JSON) == data
    assert data.endswith(b"}\n")
