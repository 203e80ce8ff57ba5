"""Small recordings made on the spot, for the tests of ingest."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt

RATE_HZ = 44_100


def tone(duration_ms: int, *, hz: float = 440.0, rate_hz: int = RATE_HZ) -> npt.NDArray[np.float32]:
    """A sine wave, shape (1, n)."""
    t = np.arange(duration_ms * rate_hz // 1000) / rate_hz
    return (0.5 * np.sin(2 * np.pi * hz * t)).astype(np.float32)[None]


def silence(duration_ms: int, *, rate_hz: int = RATE_HZ) -> npt.NDArray[np.float32]:
    return np.zeros((1, duration_ms * rate_hz // 1000), dtype=np.float32)


def encoded(
    *pieces: tuple[int, npt.NDArray[np.float32]],
    codec: str = "pcm_s16le",
    form: str = "matroska",
    rate_hz: int = RATE_HZ,
    video_ms: int = 0,
    options: dict[str, str] | None = None,
) -> bytes:
    """A recording of pieces of audio: where each begins in ms, and its samples."""
    file = io.BytesIO()
    with av.open(file, "w", format=form, options=options or {}) as container:
        video = _video(container) if video_ms else None
        channels = pieces[0][1].shape[0]
        layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        if video:
            _draw(container, video, video_ms)
        for begin_ms, samples in pieces:
            _speak(container, stream, begin_ms, samples, rate_hz)
        container.mux(stream.encode(None))
    return file.getvalue()


def _video(container: Any) -> Any:
    video = container.add_stream("mpeg4", rate=Fraction(30_000, 1001))
    video.width = video.height = 32
    video.pix_fmt = "yuv420p"
    return video


def _draw(container: Any, video: Any, video_ms: int) -> None:
    for _ in range(video_ms * 30 // 1000):
        picture = np.zeros((32, 32, 3), dtype=np.uint8)
        container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
    container.mux(video.encode(None))


def _speak(
    container: Any, stream: Any, begin_ms: int, samples: npt.NDArray[np.float32], rate_hz: int
) -> None:
    form = stream.codec_context.format.name
    layout = stream.codec_context.layout.name
    size = stream.codec_context.frame_size or 1024
    convert = av.AudioResampler(form, layout, rate_hz)
    for at in range(0, samples.shape[1], size):
        part = np.ascontiguousarray(samples[:, at : at + size].T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(part, format="flt", layout=layout)
        frame.sample_rate = rate_hz
        for converted in convert.resample(frame):
            converted.pts = begin_ms * rate_hz // 1000 + at
            converted.time_base = Fraction(1, rate_hz)
            container.mux(stream.encode(converted))
