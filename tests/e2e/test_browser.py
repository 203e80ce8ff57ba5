"""A browser plays a clip with our track: cues, voices, places and colours are what we wrote."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from playwright.sync_api import CDPSession, FloatRect, Page, Route, sync_playwright

from services.subtitles.captions import Captions
from services.subtitles.palette import BACKGROUND_OPACITY
from services.subtitles.webvtt import to_webvtt
from tests.conftest import without
from tests.subtitle_transcripts import feeling, said, transcript
from voxmesh_schemas import Emotion

SITE = "http://captions.test"
PAGE = """<!doctype html><meta charset="utf-8"><style>body { margin: 0; background: #000 }</style>
<video width="960" height="540" muted>
<track default kind="captions" srclang="en" src="captions.vtt"></video>
<script>
fetch("clip.webm").then((got) => got.blob()).then((clip) => {  // as a whole, so that it can seek
  document.querySelector("video").src = URL.createObjectURL(clip);
});
</script>"""

MADE = transcript(
    said("Did you have a quiet weekend? I painted the kitchen.", 500, word_ms=250),
    said(
        "No! <They> & I waited two hours", 2100, emotion=feeling(Emotion.ANGRY, 0.9), speaker="S2"
    ),
    said("and nobody came at all, not once.", 3000, word_ms=300, speaker="S3"),
    names=("Anna", "Mark", 'Zoë "Z" <O\'Hara>'),
)


def _clip(seconds: int = 6) -> bytes:
    """A clip with something to see behind the captions."""
    buffer = io.BytesIO()
    across, down = np.meshgrid(np.linspace(0, 1, 640), np.linspace(0, 1, 360))
    with av.open(buffer, "w", format="webm") as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for at in range(10 * seconds):
            light = np.exp(-6 * ((across - 0.3 - 0.06 * at / 10) ** 2 + (down - 0.4) ** 2))
            picture = (light[..., None] * (70, 120, 190) + 25).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    return buffer.getvalue()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        without("no browser: chromium is not installed")
    files = {
        "/": ("text/html", PAGE.encode()),
        "/clip.webm": ("video/webm", _clip()),
        "/captions.vtt": ("text/vtt", to_webvtt(Captions(MADE)).encode()),
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
        shown.wait_for_function("document.querySelector('track').readyState >= 2")
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


@dataclass(frozen=True)
class Shown:
    """What Chromium has made of an active cue."""

    voice: str
    colour: str
    background: str
    weight: str
    top: float
    bottom: float


def _shown(page: Page) -> list[Shown]:
    """The cues on the screen, from the shadow tree of the video, which scripts cannot see."""
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument", {"depth": -1, "pierce": True})["root"]
    found = [
        _cue(session, node) for node in _nodes(root) if _attributes(node).get("pseudo") == "cue"
    ]
    session.detach()
    return sorted(found, key=lambda shown: shown.top)


def _cue(session: CDPSession, node: dict[str, Any]) -> Shown:
    voice = node["children"][0]
    styles = [_computed(session, one) for one in (voice, voice["children"][0])]
    box = session.send("DOM.getBoxModel", {"nodeId": node["nodeId"]})["model"]["border"]
    return Shown(
        voice=_attributes(voice)["voice"],
        colour=_hex(styles[0]["color"]),
        background=_computed(session, node)["background-color"],
        weight=styles[1].get("font-weight", styles[0]["font-weight"]),
        top=box[1],
        bottom=box[5],
    )


def _computed(session: CDPSession, node: dict[str, Any]) -> dict[str, str]:
    if node["nodeName"] == "#text":
        return {}
    wanted = {"nodeId": node["nodeId"]}
    computed = session.send("CSS.getComputedStyleForNode", wanted)["computedStyle"]
    return {one["name"]: one["value"] for one in computed}


def _attributes(node: dict[str, Any]) -> dict[str, str]:
    flat = node.get("attributes", [])
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for key in ("children", "shadowRoots"):
        for child in node.get(key, []):
            yield from _nodes(child)


def _hex(colour: str) -> str:
    parts = colour.removeprefix("rgb(").removesuffix(")").split(",")
    return "#" + "".join(f"{int(part):02x}" for part in parts)


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
    shown: dict[str, Shown] = {}
    for time_ms in (1000, 2400, 3600):
        _seek(page, time_ms)
        shown.update((cue.voice, cue) for cue in _shown(page))
    assert {name: cue.colour for name, cue in shown.items()} == Captions(MADE).colours
    assert {cue.background for cue in shown.values()} == {f"rgba(0, 0, 0, {BACKGROUND_OPACITY})"}
    assert {name: cue.weight for name, cue in shown.items()} == {
        "Anna": "400",
        "Mark": "700",
        'Zoë "Z" <O\'Hara>': "400",
    }


def test_simultaneous_cues_do_not_cover_each_other(page: Page) -> None:
    _seek(page, 3600)
    upper, lower = _shown(page)
    assert (upper.voice, lower.voice) == ("Mark", 'Zoë "Z" <O\'Hara>')
    assert 0 < upper.bottom <= lower.top < lower.bottom <= 540
    if folder := os.environ.get("VOXMESH_SCREENSHOTS"):
        lower_half: FloatRect = {"x": 0, "y": 270, "width": 960, "height": 270}
        page.screenshot(path=Path(folder) / "captions.png", clip=lower_half)
