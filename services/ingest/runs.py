"""Decoded frames joined to runs of about a second, each placed on the timeline.

Codecs give frames of some 20 ms. Handing each of them from one thread to another would cost more
than resampling it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame

from services.ingest.timeline import Timeline


@dataclass(frozen=True)
class Run:
    """Audio of one form without a gap, in the form it was decoded to."""

    frame: AudioFrame
    begins_at: int | None
    """Where it begins, in samples at 16 kHz; none: where the one before ends, in the same form."""


def joined(frames: Iterable[AudioFrame], timeline: Timeline) -> Iterator[Run]:
    """The runs of a stream of frames; what repeats itself by its timestamps is left out."""
    pending = _Pending(timeline.position)
    for frame in frames:
        missing = timeline.advance(frame.pts)
        if missing is None:
            continue
        if missing or not pending.fits(frame):
            yield from pending.take()
            pending = _Pending(timeline.position)
        pending.add(frame)
        timeline.append(frame.samples, frame.sample_rate)
        if pending.samples >= frame.sample_rate:
            yield from pending.take()
    yield from pending.take()


class _Pending:
    """Frames of one form, waiting to become a run."""

    def __init__(self, begins_at: int) -> None:
        self.samples = 0
        self._fifo = AudioFifo()
        self._form: tuple[int, int, str] | None = None
        self._begins_at: int | None = begins_at

    def fits(self, frame: AudioFrame) -> bool:
        return self._form is None or self._form == _form(frame)

    def add(self, frame: AudioFrame) -> None:
        self._form = self._form or _form(frame)
        self.samples += frame.samples
        frame.pts = None  # the timeline has read it, and the FIFO would insist on its own
        self._fifo.write(frame)

    def take(self) -> Iterator[Run]:
        if frame := self._fifo.read():
            yield Run(frame, self._begins_at)
            self.samples, self._begins_at = 0, None


def _form(frame: AudioFrame) -> tuple[int, int, str]:
    return frame.sample_rate, frame.layout.nb_channels, frame.format.name
