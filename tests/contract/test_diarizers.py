"""The diarizer that needs no torch, and how an engine is found."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from services.diarize.engines import NAMES, make
from services.diarize.settings import DiarizeSettings
from services.runtime.audio import SAMPLE_RATE_HZ, Samples
from services.runtime.engines import Diarizer
from services.runtime.errors import EngineUnusableError
from tests.contract.diarizer_suite import ROOT, DiarizerContract, heard, recording, speakers

for package in ("faster_whisper", "kaldi_native_fbank", "scipy"):
    pytest.importorskip(package)


class TestAcoustic(DiarizerContract):
    @pytest.fixture
    def engine(self) -> Diarizer:
        return make("acoustic", DiarizeSettings())

    def test_tells_two_voices_apart(self, engine: Diarizer, conversation: Samples) -> None:
        # The sample's script: Anna speaks from 0.5 s, Mark from 4.0 s, Anna again from 8.5 s.
        turns = heard(engine, conversation).turns
        anna, mark, again = (
            next(turn.speaker for turn in turns if turn.start_ms <= time_ms < turn.end_ms)
            for time_ms in (2_000, 6_000, 9_000)
        )
        assert anna == again != mark

    @pytest.mark.parametrize("least", [1, 2, 3, 5])
    def test_finds_as_many_speakers_as_asked_for(
        self, engine: Diarizer, conversation: Samples, least: int
    ) -> None:
        assert len(speakers(heard(engine, conversation, at_least=least))) >= least

    @pytest.mark.parametrize("count", [1, 2, 4])
    def test_honours_an_exact_number_of_speakers(
        self, engine: Diarizer, conversation: Samples, count: int
    ) -> None:
        found = speakers(heard(engine, conversation, at_least=count, at_most=count))
        assert len(found) == count

    def test_hears_one_voice_in_a_recording_of_one(self, engine: Diarizer) -> None:
        samples = recording(ROOT / "../shared/data/asr/preamble.flac")
        assert speakers(heard(engine, samples)) == ["A"]

    def test_every_speaker_has_an_embedding(self, engine: Diarizer, conversation: Samples) -> None:
        diarization = heard(engine, conversation)
        assert list(diarization.embeddings) == speakers(diarization)

    def test_turns_never_overlap(self, engine: Diarizer, conversation: Samples) -> None:
        turns = heard(engine, conversation).turns
        assert all(one.end_ms <= other.start_ms for one, other in pairwise(turns))

    def test_no_turn_lies_over_a_long_silence(
        self, engine: Diarizer, conversation: Samples
    ) -> None:
        silence = np.zeros(5 * SAMPLE_RATE_HZ, dtype=np.float32)
        speech = conversation[: 8 * SAMPLE_RATE_HZ]
        turns = heard(engine, np.concatenate([speech, silence, speech])).turns
        assert not any(turn.start_ms < 12_000 and turn.end_ms > 9_000 for turn in turns)

    def test_does_not_depend_on_the_level(self, engine: Diarizer, conversation: Samples) -> None:
        quiet = heard(engine, conversation * np.float32(0.25))
        assert speakers(quiet) == speakers(heard(engine, conversation))

    def test_an_embedding_finds_its_speaker_in_another_chunk(
        self, engine: Diarizer, conversation: Samples
    ) -> None:
        whole = recording(ROOT / "samples" / "conversation.flac")
        one = heard(engine, conversation).embeddings
        other = heard(engine, whole[30 * SAMPLE_RATE_HZ :]).embeddings
        cosines = np.array(list(one.values())) @ np.array(list(other.values())).T
        assert cosines.shape == (2, 2)
        # Chunk one begins with Anna, chunk two, in the middle of a line, with Mark.
        assert cosines[0, 1] > 0.6 > 0.4 > cosines[0, 0]
        assert cosines[1, 0] > 0.6 > 0.4 > cosines[1, 1]


def test_the_preferred_engine_comes_first() -> None:
    assert NAMES == ("pyannote", "acoustic")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(EngineUnusableError, match=r"'sortformer'.*pyannote, acoustic"):
        make("sortformer", DiarizeSettings())
