"""The bundled recogniser, and what the registry and faster-whisper say without a model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.runtime.engines import Transcriber
from services.runtime.errors import EngineUnusableError, PermanentError
from services.transcribe.engines import NAMES, make
from services.transcribe.settings import TranscribeSettings
from tests.contract.transcriber_suite import SAMPLE, TranscriberContract, spoken


class TestPocketSphinx(TranscriberContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Transcriber:
        return make("pocketsphinx", TranscribeSettings())

    def test_hears_words_when_they_are_spoken(self, engine: Transcriber) -> None:
        reference = json.loads(SAMPLE.with_suffix(".json").read_text())["words"]
        spoken_at = {word["text"]: word["start_ms"] for word in reference[:9]}
        heard = engine.transcribe(spoken(0, 4_000), language="en")
        hits = [word for word in heard.words if word.text in spoken_at]
        assert len(hits) >= 7
        for word in hits:
            assert word.start_ms == pytest.approx(spoken_at[word.text], abs=120)

    def test_writes_the_first_person_with_a_capital(self, engine: Transcriber) -> None:
        heard = engine.transcribe(spoken(30_400, 33_800), language="en")
        assert "I" in [word.text for word in heard.words]

    def test_a_second_decoder_hears_the_same(self, engine: Transcriber) -> None:
        chunk = spoken(8_300, 9_900)
        other = make("pocketsphinx", TranscribeSettings())
        assert other.transcribe(chunk, language=None) == engine.transcribe(chunk, language=None)

    @pytest.mark.parametrize("language", ["de", "fr-CA", "enm"])
    def test_hears_english_only(self, engine: Transcriber, language: str) -> None:
        with pytest.raises(PermanentError, match="English only"):
            engine.transcribe(spoken(8_300, 9_900), language=language)


class TestFasterWhisperWithoutModel:
    """Models that are no model, so that neither a cache nor a network changes the answer."""

    @pytest.mark.parametrize("model", ["enormous", "/nowhere/whisper", "a/b/c"])
    def test_says_that_there_is_no_such_model(self, model: str) -> None:
        engine = make("faster-whisper", TranscribeSettings(whisper_model=model))
        usability = engine.usability()
        assert not usability.usable
        assert model in usability.reason
        assert "VOXMESH_TRANSCRIBE_WHISPER_MODEL" in usability.remedy

    def test_refuses_a_folder_without_a_whole_model(self, tmp_path: Path) -> None:
        (tmp_path / "model.bin").write_bytes(b"")
        engine = make("faster-whisper", TranscribeSettings(whisper_model=str(tmp_path)))
        assert not engine.usability().usable
        with pytest.raises(EngineUnusableError, match="neither"):
            engine.transcribe(spoken(8_300, 9_900), language="en")

    def test_names_a_damaged_model_in_one_sentence(self, tmp_path: Path) -> None:
        for file in ("model.bin", "config.json", "tokenizer.json"):
            (tmp_path / file).write_bytes(b"not a model")
        engine = make("faster-whisper", TranscribeSettings(whisper_model=str(tmp_path)))
        with pytest.raises(EngineUnusableError, match="cannot be loaded"):
            engine.transcribe(spoken(8_300, 9_900), language="en")


def test_the_preferred_recogniser_comes_first() -> None:
    assert NAMES[:2] == ("faster-whisper", "pocketsphinx")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(EngineUnusableError, match="'whispr'; there are: faster-whisper, p"):
        make("whispr", TranscribeSettings())


@pytest.mark.parametrize("name", NAMES)
def test_every_engine_is_registered_under_its_own_name(name: str) -> None:
    assert make(name, TranscribeSettings()).name == name
