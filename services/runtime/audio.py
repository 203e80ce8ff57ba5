"""The one form in which audio travels: 16 kHz mono 16-bit PCM in a WAV file."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import numpy.typing as npt

from services.runtime.errors import PermanentError

SAMPLE_RATE_HZ = 16_000
MEDIA_TYPE = "audio/wav"

Samples = npt.NDArray[np.float32]
"""Mono samples in [-1, 1) at 16 kHz, shape (n,)."""


def encode_wav(pcm: npt.NDArray[np.int16]) -> bytes:
    """A WAV file of 16 kHz mono samples, shape (n,)."""
    # By hand: a chunk has megabytes, and the `wave` module would copy them three times.
    samples = np.ascontiguousarray(pcm, dtype="<i2").data.cast("B")
    form = (16, 1, 1, SAMPLE_RATE_HZ, 2 * SAMPLE_RATE_HZ, 2, 16)
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", *form, b"data", len(samples)),
    )
    return b"".join((header, samples))


def decode_wav(data: bytes) -> Samples:
    """The samples of a chunk.

    Raises:
        PermanentError: when it is not a WAV file of the mesh's own form.
    """
    try:
        with wave.open(io.BytesIO(data), "rb") as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise PermanentError(f"a chunk of audio is damaged: {error}") from error
    if form != (1, 2, SAMPLE_RATE_HZ):
        raise PermanentError("a chunk of audio is not 16 kHz mono 16-bit PCM")
    return np.frombuffer(frames, dtype="<i2").astype(np.float32) / np.float32(32768)
