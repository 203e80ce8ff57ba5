"""What every diarizer has to do: a test class names its engine and inherits this."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from services.diarize.turns import local_label
from services.runtime.audio import SAMPLE_RATE_HZ, Samples
from services.runtime.engines import Diarizer
from voxmesh_schemas import Diarization

ROOT = Path(__file__).resolve().parents[2]


@cache
def recording(path: Path) -> Samples:
    """Samples of a recording; skips the test where it is absent."""
    if not path.is_file():
        pytest.skip(f"there is no {path.name} in {path.parent}")
    av = pytest.importorskip("av")
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    pcm = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    samples: Samples = pcm.astype(np.float32) / np.float32(32768)
    return samples


def heard(
    engine: Diarizer, samples: Samples, at_least: int | None = None, at_most: int | None = None
) -> Diarization:
    return engine.diarize(samples, min_speakers=at_least, max_speakers=at_most)


def speakers(diarization: Diarization) -> list[str]:
    """In order of first appearance."""
    return list(dict.fromkeys(turn.speaker for turn in diarization.turns))


class DiarizerContract:
    """Holds for every diarizer."""

    seconds = 30
    """How much of the sample is heard; less where an engine is slow."""

    @pytest.fixture
    def engine(self) -> Diarizer:
        raise NotImplementedError

    @pytest.fixture
    def conversation(self) -> Samples:
        """The beginning of the sample: two voices that take turns."""
        return recording(ROOT / "samples" / "conversation.flac")[: self.seconds * SAMPLE_RATE_HZ]

    def test_is_usable_here_and_says_why(self, engine: Diarizer) -> None:
        usability = engine.usability()
        assert usability.usable, usability.reason
        assert usability.reason
        assert usability.remedy == ""

    def test_names_its_engine_and_model(self, engine: Diarizer, conversation: Samples) -> None:
        diarization = heard(engine, conversation)
        assert (diarization.engine, diarization.model) == (engine.name, engine.model)
        assert diarization.model

    def test_turns_are_in_order_and_inside_the_chunk(
        self, engine: Diarizer, conversation: Samples
    ) -> None:
        turns = heard(engine, conversation).turns
        assert turns
        assert list(turns) == sorted(turns, key=lambda turn: (turn.start_ms, turn.end_ms))
        assert all(0 <= turn.start_ms < turn.end_ms <= 1000 * self.seconds for turn in turns)
        # So these are milliseconds: somebody speaks for more than a tenth of the time.
        assert sum(turn.duration_ms for turn in turns) > 100 * self.seconds

    def test_turns_of_one_speaker_do_not_overlap(
        self, engine: Diarizer, conversation: Samples
    ) -> None:
        turns = heard(engine, conversation).turns
        for speaker in {turn.speaker for turn in turns}:
            own = [turn for turn in turns if turn.speaker == speaker]
            assert all(a.end_ms <= b.start_ms for a, b in pairwise(own))

    def test_labels_are_letters_in_order_of_first_appearance(
        self, engine: Diarizer, conversation: Samples
    ) -> None:
        found = speakers(heard(engine, conversation))
        assert found == [local_label(number) for number in range(len(found))]

    def test_embeddings_are_of_unit_length_and_of_speakers_with_turns(
        self, engine: Diarizer, conversation: Samples
    ) -> None:
        diarization = heard(engine, conversation)
        assert diarization.embeddings
        assert set(diarization.embeddings) <= set(speakers(diarization))
        lengths = {len(embedding) for embedding in diarization.embeddings.values()}
        assert len(lengths) == 1
        for embedding in diarization.embeddings.values():
            assert np.linalg.norm(embedding) == pytest.approx(1.0, abs=1e-6)

    @pytest.mark.parametrize("most", [1, 2, 3])
    def test_there_are_never_more_speakers_than_allowed(
        self, engine: Diarizer, conversation: Samples, most: int
    ) -> None:
        assert 1 <= len(speakers(heard(engine, conversation, at_most=most))) <= most

    def test_the_same_samples_give_the_same_bytes(
        self, engine: Diarizer, conversation: Samples
    ) -> None:
        first, second = (heard(engine, conversation).model_dump_json() for _ in range(2))
        assert first == second

    @pytest.mark.parametrize("count", [0, 1, 160, 16_000, 80_000])
    def test_hears_nobody_in_silence_of_any_length(self, engine: Diarizer, count: int) -> None:
        diarization = heard(engine, np.zeros(count, dtype=np.float32))
        assert diarization.turns == ()
        assert diarization.embeddings == {}

    @pytest.mark.parametrize("count", [1, 100, 2_000, 16_000])
    def test_takes_a_chunk_however_short(
        self, engine: Diarizer, conversation: Samples, count: int
    ) -> None:
        spoken = conversation[16_000 : 16_000 + count]
        end_ms = count * 1000 // SAMPLE_RATE_HZ
        assert all(turn.end_ms <= end_ms for turn in heard(engine, spoken).turns)

    def test_leaves_the_samples_as_they_are(self, engine: Diarizer, conversation: Samples) -> None:
        frozen = conversation.copy()
        frozen.flags.writeable = False  # as `decode_wav` of a chunk may give them
        heard(engine, frozen)
        assert np.array_equal(frozen, conversation)
