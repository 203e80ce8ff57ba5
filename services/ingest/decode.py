"""Any recording to 16 kHz PCM, in time and in memory that does not grow with its length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import chain

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from services.ingest.ahead import read_ahead
from services.ingest.container import open_container, pick_audio, pick_video
from services.ingest.guarded import ByteSource, Guarded, References
from services.ingest.resample import Block, Channels, Resampler
from services.ingest.runs import Run, joined
from services.ingest.timeline import SAMPLES_PER_MS, Timeline
from services.runtime.audio import SAMPLE_RATE_HZ
from services.runtime.errors import BadInputError
from voxmesh_schemas import MediaFacts

LONGEST_MS = 48 * 60 * 60 * 1000
"""Longer recordings are refused: timestamps of damaged ones may speak of years."""

_RUNS_AHEAD = 4
_MOST_CHANNELS = 16
_MOST_READ_ERRORS = 100
_SILENCE = np.zeros((_MOST_CHANNELS, 10 * SAMPLE_RATE_HZ), dtype=np.int16)


class Media:
    """An opened recording: what is known of it, then its audio, once, from front to back."""

    def __init__(
        self, container: InputContainer, file: Guarded, name: str, channels: Channels
    ) -> None:
        self._container = container
        self._file = file
        self._name = name
        self._channels = channels
        self._stream = pick_audio(container, name)
        self._video = pick_video(container)
        self._timeline = Timeline(1.0, 0.0, None)
        self._emitted = 0
        self._open = ExitStack()
        self.lost_packets = 0
        """Damaged packets met so far; silence stands for them."""
        self._frames = self._decoded()
        self._first = self._first_frame()
        self._start_timeline()

    @property
    def channels(self) -> int:
        """Rows of each block."""
        return 1 if self._channels == "mix" else self._first.layout.nb_channels

    @property
    def declared_ms(self) -> int | None:
        """Length of the recording, as its container declares it: often right, never sure."""
        duration_us = self._container.duration
        return duration_us // 1000 if duration_us and duration_us > 0 else None

    @property
    def duration_ms(self) -> int:
        """End of the audio that `blocks` has given so far."""
        return -(-self._emitted // SAMPLES_PER_MS)

    def facts(self) -> MediaFacts:
        """What is known now: the duration is the declared one until all blocks are out."""
        rate = self._video.average_rate if self._video else None
        return MediaFacts(
            name=self._name,
            duration_ms=self.duration_ms or self.declared_ms or 0,
            container=self._container.format.name,
            audio_codec=self._stream.codec_context.name,
            sample_rate_hz=self._first.sample_rate,
            channels=self._first.layout.nb_channels,
            audio_start_ms=self._audio_start_ms,
            frame_rate=f"{rate.numerator}/{rate.denominator}" if rate and rate > 0 else None,
        )

    def blocks(self) -> Iterator[Block]:
        """All audio from the job's first instant on, in blocks of about a second.

        Raises:
            BadInputError: when it is too long.
            TransientError, PermanentError: as reading the file does.
        """
        frames = chain((self._first,), self._frames)
        runs = self._open.enter_context(read_ahead(joined(frames, self._timeline), _RUNS_AHEAD))
        for block in self._converted(runs):
            self._emitted += block.shape[1]
            if self._emitted > LONGEST_MS * SAMPLES_PER_MS:
                raise BadInputError(f"{self._name} is longer than two days; give parts of it")
            yield block
        if not self._emitted:
            raise BadInputError(f"{self._name} holds less audio than anyone can hear")

    def close(self) -> None:
        """Stop reading; must come before the container is closed."""
        self._open.close()

    def _converted(self, runs: Iterable[Run]) -> Iterator[Block]:
        resampler = self._resampler(self._first)
        for run in runs:
            if run.begins_at is not None:
                yield from resampler.flush()
                yield from self._silence_until(run.begins_at)
                resampler = self._resampler(run.frame)
            yield from resampler.convert(run.frame)
        yield from resampler.flush()

    def _resampler(self, frame: AudioFrame) -> Resampler:
        try:
            return Resampler(frame, self._channels, self._first.layout.name)
        except av.error.FFmpegError as error:
            raise BadInputError(
                f"the audio of {self._name} cannot be converted: {frame.layout.nb_channels} "
                f"channels at {frame.sample_rate} Hz; export it as mono or stereo"
            ) from error

    def _silence_until(self, position: int) -> Iterator[Block]:
        while (missing := position - self._emitted) > 0:
            yield _SILENCE[: self.channels, :missing]

    def _decoded(self) -> Iterator[AudioFrame]:
        decoder = self._stream.codec_context
        for packet in self._packets():
            try:
                frames = decoder.decode(packet)
            except av.error.FFmpegError:
                self.lost_packets += 1
                self._timeline.lose()
                continue
            for frame in frames:
                if frame.samples and frame.sample_rate:
                    yield frame

    def _packets(self) -> Iterator[Packet[AudioStream]]:
        errors = 0
        while errors < _MOST_READ_ERRORS:
            try:
                for packet in self._container.demux(self._stream):
                    errors = 0
                    yield packet
                break
            except IndexError:
                errors += 1  # PyAV stumbles over a track that appears on the way, as in MPEG-TS
            except av.error.FFmpegError:
                errors += 1
                self.lost_packets += 1
                self._timeline.lose()
        self._file.check()

    def _first_frame(self) -> AudioFrame:
        frame = next(self._frames, None)
        if frame is None and self.lost_packets:
            raise BadInputError(f"the audio of {self._name} is too damaged to be decoded")
        if frame is None:
            raise BadInputError(f"{self._name} has an audio track without any audio in it")
        if self._channels == "split" and frame.layout.nb_channels > _MOST_CHANNELS:
            raise BadInputError(
                f"{self._name} has {frame.layout.nb_channels} channels, and no more than "
                f"{_MOST_CHANNELS} can be captioned each by itself; mix them"
            )
        return frame

    def _start_timeline(self) -> None:
        """Begin where a player does: at the first picture or the first sound."""
        tick_s = float(self._stream.time_base or 1)
        first_s = (self._first.pts or 0) * tick_s
        origin_s = first_s
        video = self._video
        if video and video.start_time is not None and video.time_base:
            origin_s = min(first_s, float(video.start_time * video.time_base))
        self._timeline = Timeline(tick_s, origin_s, self.declared_ms)
        self._timeline.advance(self._first.pts)
        self._audio_start_ms = self._timeline.position // SAMPLES_PER_MS


@contextmanager
def open_media(
    file: ByteSource,
    name: str,
    channels: Channels = "mix",
    references: References | None = None,
) -> Iterator[Media]:
    """A recording ready to be read.

    Args:
        file: its bytes, from the beginning; not closed here.
        name: what to call it in facts and errors.
        channels: mix them into one, or keep each to itself.
        references: how to follow what it names; it may name nothing when left out.

    Raises:
        BadInputError: for bytes without audio that can be decoded.
        TransientError, PermanentError: as reading the file does.
    """
    guarded = Guarded(file, name, references)
    with (
        open_container(guarded, name) as container,
        closing(Media(container, guarded, name, channels)) as media,
    ):
        yield media
