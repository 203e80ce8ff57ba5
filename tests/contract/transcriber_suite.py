"""What every recogniser has to do: a test class names its engine and inherits this."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from services.runtime.audio import SAMPLE_RATE_HZ, Samples
from services.runtime.engines import Transcriber
from services.runtime.errors import PermanentError
from voxmesh_schemas import Hypothesis

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "conversation.flac"


@lru_cache(maxsize=1)
def _conversation() -> Samples:
    av = pytest.importorskip("av")
    with av.open(str(SAMPLE)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    pcm = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    samples: Samples = pcm.astype(np.float32) / np.float32(32768)
    return samples


def spoken(start_ms: int, end_ms: int) -> Samples:
    """A part of the sample conversation."""
    return _conversation()[start_ms * SAMPLE_RATE_HZ // 1000 : end_ms * SAMPLE_RATE_HZ // 1000]


def silence(duration_ms: int) -> Samples:
    """Digital silence."""
    return np.zeros(duration_ms * SAMPLE_RATE_HZ // 1000, dtype=np.float32)


def noise(duration_ms: int, level: float) -> Samples:
    """White noise of that standard deviation, always the same."""
    samples = np.random.default_rng(0).normal(0, level, duration_ms * SAMPLE_RATE_HZ // 1000)
    return samples.astype(np.float32)


class TranscriberContract:
    """Holds for every recogniser that knows English."""

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Transcriber:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def heard(cls, engine: Transcriber) -> Hypothesis:
        """Two seconds of silence, two sentences and two seconds of silence."""
        chunk = np.concatenate([silence(2_000), spoken(400, 4_000), silence(2_000)])
        return engine.transcribe(chunk, language="en")

    def test_is_usable_here_and_says_why(self, engine: Transcriber) -> None:
        usability = engine.usability()
        assert usability.usable, usability.reason
        assert usability.reason
        assert usability.remedy == ""

    def test_says_which_engine_and_model_heard(
        self, engine: Transcriber, heard: Hypothesis
    ) -> None:
        assert (heard.engine, heard.model) == (engine.name, engine.model)
        assert heard.model

    def test_words_are_in_order_and_do_not_overlap(self, heard: Hypothesis) -> None:
        assert len(heard.words) > 3
        for word, following in zip(heard.words, heard.words[1:], strict=False):
            assert word.end_ms <= following.start_ms

    def test_words_are_written_without_space_around_and_fillers(self, heard: Hypothesis) -> None:
        for word in heard.words:
            assert word.text == word.text.strip()
            assert not set(word.text) & set("<>[]()")

    def test_words_lie_in_the_speech_and_not_in_the_silence(self, heard: Hypothesis) -> None:
        margin_ms = 300
        assert heard.words[0].start_ms >= 2_000 - margin_ms
        assert heard.words[-1].end_ms <= 5_600 + margin_ms

    def test_confidences_are_probabilities(self, heard: Hypothesis) -> None:
        assert all(word.confidence is None or 0 <= word.confidence <= 1 for word in heard.words)

    def test_result_survives_json(self, heard: Hypothesis) -> None:
        assert Hypothesis.model_validate_json(heard.model_dump_json()) == heard

    @pytest.mark.parametrize(
        "samples",
        [silence(0), silence(1), silence(3_000), noise(3_000, 0.003)],
        ids=["no samples", "one millisecond", "silence", "faint noise"],
    )
    def test_hears_nothing_where_nobody_speaks(self, engine: Transcriber, samples: Samples) -> None:
        assert engine.transcribe(samples, language=None).words == ()
        assert engine.transcribe(samples, language="en").words == ()

    def test_words_end_with_a_chunk_that_cuts_them_off(self, engine: Transcriber) -> None:
        chunk = spoken(500, 3_400)
        heard = engine.transcribe(chunk, language="en")
        assert heard.words
        assert heard.words[-1].end_ms <= 2_900

    def test_same_audio_gives_the_same_bytes_whatever_was_heard_before(
        self, engine: Transcriber
    ) -> None:
        chunk = spoken(400, 3_800)
        alone = engine.transcribe(chunk, language="en").model_dump_json()
        assert engine.transcribe(chunk, language="en").model_dump_json() == alone
        engine.transcribe(spoken(8_300, 9_900) + noise(1_600, 0.02), language="en")
        assert engine.transcribe(chunk, language="en").model_dump_json() == alone

    def test_leaves_the_samples_as_they_are(self, engine: Transcriber) -> None:
        chunk = spoken(8_300, 9_900).copy()
        chunk.flags.writeable = False
        assert engine.transcribe(chunk, language="en").words

    def test_keeps_the_tag_of_the_language_it_was_given(self, engine: Transcriber) -> None:
        heard = engine.transcribe(spoken(8_300, 9_900), language="en-US")
        assert heard.language == "en-US"
        assert all(word.language is None for word in heard.words)

    def test_refuses_a_language_that_it_does_not_know(self, engine: Transcriber) -> None:
        with pytest.raises(PermanentError, match="'tlh'"):
            engine.transcribe(spoken(8_300, 9_900), language="tlh")
