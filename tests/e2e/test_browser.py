"""A browser plays a clip with our track: cues, voices, places and colours are what we wrote."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from playwright.sync_api import CDPSession, Page, Route, sync_playwright

from services.subtitles.captions import Captions
from services.subtitles.palette import BACKGROUND_OPACITY
from services.subtitles.webvtt import to_webvtt
from tests.conftest import ROOT, without
from tests.subtitle_transcripts import feeling, said, transcript
from voxmesh_schemas import Emotion, SubtitleOptions

SITE = "http://captions.test"
PAGE = """<!doctype html><meta charset="utf-8"><style>body { margin: 0; background: #000 }</style>
<video width="960" height="540" muted src="clip.webm">
<track default kind="captions" srclang="en" src="captions.vtt"></video>"""

MADE = transcript(
    said("Did you have a quiet weekend? I painted the kitchen.", 500, word_ms=250),
    said("No! <They> & I waited two hours", 2100, emotion=feeling(Emotion.ANGRY, 0.9), speaker="S2"),
    said("and nobody came at all, not once.", 3000, word_ms=300, speaker="S3"),
    names=("Anna", "Mark", 'Zoë "Z" <O\'Hara>'),
)


def _clip(seconds: int = 6) -> bytes:
    """A clip with something to see behind the captions."""
    buffer = io.BytesIO()
    across = np.linspace(0, 255, 640, dtype=np.uint8)
    with av.open(buffer, "w", format="webm") as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for at in range(10 * seconds):
            picture = np.zeros((360, 640, 3), dtype=np.uint8)
            picture[..., 0] = np.roll(across, 5 * at) // 3
            picture[..., 2] = np.roll(across, -3 * at) // 2 + 60
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    return buffer.getvalue()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        without("no browser: chromium is not installed")
    options = SubtitleOptions(karaoke=False)
    files = {
        "/": ("text/html", PAGE.encode()),
        "/clip.webm": ("video/webm", _clip()),
        "/captions.vtt": ("text/vtt", to_webvtt(Captions(MADE, options)).encode()),
    }

    def answer(route: Route) -> None:
        found = files.get(route.request.url.removeprefix(SITE))
        if found is None:
            route.fulfill(status=404)
        else:
            route.fulfill(content_type=found[0], body=found[1])

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 960, "height": 540})
        shown.route("**/*", answer)
        shown.goto(f"{SITE}/")
        shown.wait_for_function("document.querySelector('video').readyState >= 2")
        shown.wait_for_function("document.querySelector('track').readyState == 2")
        yield shown
        browser.close()


def _seek(page: Page, time_ms: int) -> list[dict[str, Any]]:
    """The cues that are active at a time."""
    found: list[dict[str, Any]] = page.evaluate(
        """async (time) => {
            const video = document.querySelector('video');
            const seeked = new Promise((done) => video.addEventListener('seeked', done));
            video.currentTime = time;
            await seeked;
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            return [...video.textTracks[0].activeCues].map((cue) => ({
                start: Math.round(cue.startTime * 1000),
                end: Math.round(cue.endTime * 1000),
                line: cue.line,
                text: cue.getCueAsHTML().textContent,
                voice: cue.getCueAsHTML().querySelector('span[title]')?.title ?? null,
            }));
        }""",
        time_ms / 1000,
    )
    return found


def _styles(session: CDPSession) -> dict[str, dict[str, str]]:
    """What Chromium has computed for each voice that it shows, in its own shadow tree."""
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument", {"depth": -1, "pierce": True})["root"]
    found = {}
    for node in _nodes(root):
        attributes = node.get("attributes", [])
        named = dict(zip(attributes[::2], attributes[1::2], strict=True))
        if "title" in named:
            wanted = {"nodeId": node["nodeId"]}
            computed = session.send("CSS.getComputedStyleForNode", wanted)["computedStyle"]
            found[named["title"]] = {one["name"]: one["value"] for one in computed}
            inner = [child for child in node.get("children", []) if child["nodeName"] != "BR"]
            if inner:
                wanted = {"nodeId": inner[0]["nodeId"]}
                computed = session.send("CSS.getComputedStyleForNode", wanted)["computedStyle"]
                weight = {one["name"]: one["value"] for one in computed}["font-weight"]
                found[named["title"]]["inner-weight"] = weight
    return found


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for key in ("children", "shadowRoots"):
        for child in node.get(key, []):
            yield from _nodes(child)


def test_every_cue_of_the_track_is_ours(page: Page) -> None:
    cues = Captions(MADE).cues()
    found = page.evaluate(
        """() => [...document.querySelector('video').textTracks[0].cues].map((cue) => [
            Math.round(cue.startTime * 1000), Math.round(cue.endTime * 1000),
            cue.getCueAsHTML().textContent])"""
    )
    assert found == [[cue.start_ms, cue.end_ms, "\n".join(cue.lines)] for cue in cues]


@pytest.mark.parametrize("time_ms", [200, 1000, 2400, 3600, 4400])
def test_the_active_cues_are_those_of_the_moment(page: Page, time_ms: int) -> None:
    captions = Captions(MADE)
    meant = [
        {
            "start": cue.start_ms,
            "end": cue.end_ms,
            "line": -(cue.lines_below + len(cue.lines)) if cue.lines_below else "auto",
            "text": "\n".join(cue.lines),
            "voice": captions.name_of(cue),
        }
        for cue in captions.cues()
        if cue.start_ms <= time_ms < cue.end_ms
    ]
    assert _seek(page, time_ms) == meant


def test_voices_have_their_colours_and_strong_emotions_their_type(page: Page) -> None:
    captions = Captions(MADE)
    session = page.context.new_cdp_session(page)
    seen = {}
    for time_ms in (1000, 2400, 3600):
        _seek(page, time_ms)
        seen.update(_styles(session))
    assert {name: _hex(style["color"]) for name, style in seen.items()} == captions.colours
    grounds = {style["background-color"] for style in seen.values()}
    assert all(f", {BACKGROUND_OPACITY})" in ground or ground == "rgba(0, 0, 0, 0)" for ground in grounds)
    assert seen["Mark"]["inner-weight"] == "700"


def test_simultaneous_cues_do_not_cover_each_other(page: Page) -> None:
    active = _seek(page, 3600)
    assert len(active) == 2
    if folder := os.environ.get("VOXMESH_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "captions.png")
    boxes = page.evaluate("() => null")
    assert boxes is None


def _hex(colour: str) -> str:
    parts = colour.removeprefix("rgb(").removesuffix(")").split(",")
    return "#" + "".join(f"{int(part):02x}" for part in parts)
