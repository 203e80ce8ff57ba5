"""Cuts audio into overlapping chunks, each end in a quiet place, as the audio comes in.

How long a chunk is trades four things. Short chunks give first captions early and every worker
something to do; long ones give a diarizer more of each voice and cost less audio heard twice.

- Up to ten minutes of audio, a chunk is at most 30 s long: one window of Whisper's encoder, which
  costs the same however little of it is used. Several workers share even a short recording.
- Up to an hour, and where nobody knows, two minutes: an hour gives some 32 of them.
- Beyond, ten minutes with 30 s of overlap: there are enough of them for any number of workers, and
  each holds enough of every voice to know it again.

The limits are never exceeded: the end of a chunk and its overlap with the next are looked for in
the last `search_ms` before them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from services.runtime.audio import SAMPLE_RATE_HZ

_PER_MS = SAMPLE_RATE_HZ // 1000
_FRAME = 10 * _PER_MS
_QUIET_FRAMES = 30  # a cut stands in the middle of the quietest 300 ms


@dataclass(frozen=True)
class Layout:
    """How long chunks are; `search_ms` is a multiple of 10 between 300 and `overlap_ms`."""

    chunk_ms: int
    """A chunk is never longer, but for the last one."""
    overlap_ms: int
    """Neighbours never share more."""
    search_ms: int
    """How much earlier a chunk may end, and how much smaller an overlap may be."""
    tail_ms: int
    """A rest up to this long stays with the chunk before it."""


SHORT = Layout(chunk_ms=28_000, overlap_ms=5_000, search_ms=2_500, tail_ms=2_000)
MEDIUM = Layout(chunk_ms=120_000, overlap_ms=10_000, search_ms=5_000, tail_ms=10_000)
LONG = Layout(chunk_ms=600_000, overlap_ms=30_000, search_ms=10_000, tail_ms=30_000)

_SHORT_UP_TO_MS = 10 * 60 * 1000
_MEDIUM_UP_TO_MS = 60 * 60 * 1000


@dataclass(frozen=True)
class Cut:
    """A chunk of one channel; both ends stand on whole milliseconds of the job's timeline."""

    index: int
    channel: int
    start_ms: int
    end_ms: int
    overlap_ms: int
    """How much of its start the chunk before it in the channel also holds."""
    samples: npt.NDArray[np.int16]
    """16 kHz, shape (n,)."""


def layout_for(duration_ms: int | None) -> Layout:
    """The layout for a recording of this length, or of one that nobody knows."""
    if duration_ms is None or _SHORT_UP_TO_MS < duration_ms <= _MEDIUM_UP_TO_MS:
        return MEDIUM
    return SHORT if duration_ms <= _SHORT_UP_TO_MS else LONG


def cut(blocks: Iterable[npt.NDArray[np.int16]], layout: Layout, *, channels: int) -> Iterator[Cut]:
    """Chunks in order of the moment at which they are complete, then of channel.

    The same audio gives the same chunks however it is divided into blocks. At most one chunk of
    each channel is held. A last millisecond that is not whole is filled with silence.

    Args:
        blocks: 16 kHz PCM, shape (channels, n), n as it comes.
        layout: how long chunks are.
        channels: rows of each block.
    """
    cutters = [_Cutter(layout, channel) for channel in range(channels)]
    index = count()
    for block in blocks:
        complete = [piece for cutter in cutters for piece in cutter.push(block[cutter.channel])]
        for _, piece in sorted(complete, key=itemgetter(0)):
            yield replace(piece, index=next(index))
    for cutter in cutters:
        if rest := cutter.rest():
            yield replace(rest, index=next(index))


class _Cutter:
    """Collects one channel up to the first sample that cannot belong to its next chunk."""

    def __init__(self, layout: Layout, channel: int) -> None:
        self.channel = channel
        self._layout = layout
        self._capacity = (layout.chunk_ms + layout.tail_ms) * _PER_MS + 1
        self._buffer = np.empty(self._capacity, dtype=np.int16)
        self._filled = 0
        self._start_ms = 0
        self._overlap_ms = 0

    def push(self, samples: npt.NDArray[np.int16]) -> Iterator[tuple[int, Cut]]:
        """Chunks that are complete now, each with the number of samples that made it so."""
        while samples.size:
            taken = samples[: self._capacity - self._filled]
            self._buffer[self._filled : self._filled + taken.size] = taken
            self._filled += taken.size
            samples = samples[taken.size :]
            if self._filled == self._capacity:
                complete_at = self._start_ms * _PER_MS + self._filled
                yield complete_at, self._next_cut()

    def rest(self) -> Cut | None:
        """The last chunk."""
        if not self._filled:
            return None
        length_ms = -(-self._filled // _PER_MS)
        samples = np.zeros(length_ms * _PER_MS, dtype=np.int16)
        samples[: self._filled] = self._buffer[: self._filled]
        return self._cut(samples)

    def _next_cut(self) -> Cut:
        layout, full = self._layout, self._buffer
        end_ms = _quietest_ms(full, layout.chunk_ms - layout.search_ms, layout.chunk_ms, late=True)
        widest_ms = end_ms - layout.overlap_ms
        next_ms = _quietest_ms(full, widest_ms, widest_ms + layout.search_ms, late=False)
        piece = self._cut(full[: end_ms * _PER_MS])
        # The chunk keeps the buffer, which spares a copy of it.
        self._buffer = np.empty(self._capacity, dtype=np.int16)
        self._filled = self._capacity - next_ms * _PER_MS
        self._buffer[: self._filled] = full[next_ms * _PER_MS :]
        self._start_ms += next_ms
        self._overlap_ms = end_ms - next_ms
        return piece

    def _cut(self, samples: npt.NDArray[np.int16]) -> Cut:
        end_ms = self._start_ms + samples.size // _PER_MS
        return Cut(0, self.channel, self._start_ms, end_ms, self._overlap_ms, samples)


def _quietest_ms(samples: npt.NDArray[np.int16], first_ms: int, last_ms: int, *, late: bool) -> int:
    """Middle of the stretch with the least energy; among equals the last one, or the first."""
    frames = samples[first_ms * _PER_MS : last_ms * _PER_MS].astype(np.int64)
    energy = np.square(frames).reshape(-1, _FRAME).sum(axis=1)
    total = np.concatenate(([0], np.cumsum(energy)))
    stretches = total[_QUIET_FRAMES:] - total[:-_QUIET_FRAMES]
    quietest = np.flatnonzero(stretches == stretches.min())[-1 if late else 0]
    return first_ms + (int(quietest) + _QUIET_FRAMES // 2) * 10
