"""What is sent to a vendor: FLAC, in as few pieces as its limits allow."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from services.runtime.audio import SAMPLE_RATE_HZ, Samples
from services.transcribe.speech import Stretch

_BYTES_PER_S = 2 * SAMPLE_RATE_HZ
"""Of 16-bit samples. FLAC takes about half of it for speech, and hardly more for noise."""
_OVERHEAD = 1.05
_MARGIN = SAMPLE_RATE_HZ // 2
"""Samples around its speech that a piece may hold: recognisers err on words at the very edge."""


@dataclass(frozen=True)
class Limits:
    """What a vendor takes in one request."""

    longest_s: float
    most_bytes: int


@dataclass(frozen=True)
class Upload:
    """One request's audio."""

    start_ms: float
    """From the start of the chunk."""
    samples: Samples
    speech: tuple[Stretch, ...]
    """Where in it there is speech."""
    flac: bytes


def uploads(samples: Samples, speech: Sequence[Stretch], limits: Limits) -> Iterator[Upload]:
    """The chunk as a whole where it fits, else pieces that are cut in its pauses.

    A piece holds at least one stretch of speech, however small the limits are.
    """
    whole = _upload(samples, speech, (0, len(samples)))
    if len(samples) <= limits.longest_s * SAMPLE_RATE_HZ and len(whole.flac) <= limits.most_bytes:
        yield whole
        return
    longest_s = min(limits.longest_s, limits.most_bytes / (_BYTES_PER_S * _OVERHEAD))
    for piece in pieces(speech, len(samples), int(longest_s * SAMPLE_RATE_HZ)):
        yield _upload(samples, speech, piece)


def pieces(speech: Sequence[Stretch], count: int, longest: int) -> list[Stretch]:
    """Parts of `count` samples with all speech, each at most `longest` if its pauses allow it.

    What of a long pause is neither before nor after speech by half a second is in none.
    """
    groups: list[Stretch] = []
    for start, end in speech:
        if groups and end - groups[-1][0] + 2 * _MARGIN <= longest:
            groups[-1] = (groups[-1][0], end)
        else:
            groups.append((start, end))
    cuts = [0, *((one[1] + other[0]) // 2 for one, other in pairwise(groups)), count]
    return [
        (max(start - _MARGIN, before), min(end + _MARGIN, after))
        for (start, end), before, after in zip(groups, cuts, cuts[1:], strict=False)
    ]


def _upload(samples: Samples, speech: Sequence[Stretch], piece: Stretch) -> Upload:
    first, last = piece
    inside = [(max(start, first), min(end, last)) for start, end in speech]
    return Upload(
        start_ms=first * 1000 / SAMPLE_RATE_HZ,
        samples=samples[first:last],
        speech=tuple((start - first, end - first) for start, end in inside if start < end),
        flac=encode_flac(samples[first:last]),
    )


def encode_flac(samples: Samples) -> bytes:
    """A FLAC file of 16-bit samples; the same samples give the same bytes."""
    import av

    pcm = np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE_HZ, layout="mono")
        for start in range(0, len(pcm), SAMPLE_RATE_HZ):
            part = pcm[np.newaxis, start : start + SAMPLE_RATE_HZ]
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
            frame.sample_rate = SAMPLE_RATE_HZ
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()
