"""Any audio to 16 kHz 16-bit PCM, by FFmpeg's own resampler (libswresample)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast

import av
import av.filter
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame

from services.runtime.audio import SAMPLE_RATE_HZ

Block = npt.NDArray[np.int16]
"""PCM at 16 kHz, shape (channels, n)."""

Channels = Literal["mix", "split"]

_BLOCK_SAMPLES = SAMPLE_RATE_HZ
_NAMED_CHANNELS = 8


class Resampler:
    """Converts frames of one form, that of its first; a new form needs a new resampler.

    Args:
        template: a frame of the form to be converted.
        channels: one mixed channel, or all of them.
        layout: channels to make out of others when split, as FFmpeg names them.
    """

    def __init__(self, template: AudioFrame, channels: Channels, layout: str) -> None:
        self._graph = av.filter.Graph()
        rate = template.sample_rate
        self._source = self._graph.add(
            "abuffer",
            sample_rate=str(rate),
            sample_fmt=template.format.name,
            channel_layout=template.layout.name,
            time_base=f"1/{rate}",
        )
        last = self._source
        for name, arguments in _filters(template, channels, layout):
            following = self._graph.add(name, arguments)
            last.link_to(following)
            last = following
        self._sink = last
        self._graph.configure()

    def convert(self, frame: AudioFrame) -> Iterator[Block]:
        """What is ready after this frame, in blocks of a second."""
        self._source.push(frame)
        return self._pull()

    def flush(self) -> Iterator[Block]:
        """The rest; nothing can be converted after it."""
        self._source.push(None)
        return self._pull()

    def _pull(self) -> Iterator[Block]:
        try:
            while True:
                frame = cast("AudioFrame", self._sink.pull())
                interleaved = cast("Block", frame.to_ndarray())
                yield interleaved.reshape(-1, frame.layout.nb_channels).T
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _filters(template: AudioFrame, channels: Channels, layout: str) -> Iterator[tuple[str, str]]:
    count = template.layout.nb_channels
    if channels == "mix" and (count > _NAMED_CHANNELS or "channels" in template.layout.name):
        # FFmpeg mixes by where loudspeakers stand; channels without a place are averaged.
        yield "pan", "mono|c0=" + "+".join(f"{1 / count:.6f}*c{i}" for i in range(count))
    target = "mono" if channels == "mix" else layout
    # One conversion does all of it: mixing, resampling and rounding. The outcome is interleaved:
    # PyAV cannot be asked for the planes of more than eight channels.
    yield "aformat", f"sample_fmts=s16:channel_layouts={target}:sample_rates={SAMPLE_RATE_HZ}"
    yield "asetnsamples", f"n={_BLOCK_SAMPLES}:p=0"
    yield "abuffersink", ""
