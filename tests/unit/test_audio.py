"""Chunks of audio survive their WAV file."""

import io
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from services.runtime.audio import decode_wav, encode_wav
from services.runtime.errors import PermanentError

pcm = arrays.arrays(np.int16, st.integers(0, 2000))


@given(pcm)
def test_samples_come_back_as_they_went(samples: np.ndarray) -> None:
    decoded = decode_wav(encode_wav(samples))
    assert decoded.dtype == np.float32
    assert np.array_equal(np.round(decoded * 32768).astype(np.int16), samples)


def test_the_file_is_one_that_other_programs_read() -> None:
    with wave.open(io.BytesIO(encode_wav(np.arange(100, dtype=np.int16)))) as file:
        form = (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes())
    assert form == (1, 2, 16_000, 100)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"not audio at all" * 9])
def test_anything_else_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(PermanentError, match="damaged"):
        decode_wav(data)


def test_audio_of_another_form_is_refused() -> None:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(b"\0" * 400)
    with pytest.raises(PermanentError, match="16 kHz"):
        decode_wav(buffer.getvalue())
