"""Settings of the emotion service."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.emotion.settings import EmotionSettings


def test_they_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXMESH_EMOTION_TEXT_MODEL", "/models/emotion")
    monkeypatch.setenv("VOXMESH_EMOTION_TEXT_MODEL_LANGUAGES", '["de", "fr"]')
    settings = EmotionSettings()
    assert settings.text_model == "/models/emotion"
    assert settings.text_model_languages == ("de", "fr")


def test_windows_that_leave_gaps_are_refused() -> None:
    with pytest.raises(ValidationError, match="would leave gaps"):
        EmotionSettings(window_ms=2_000, hop_ms=2_500)


def test_they_are_values_that_a_cache_can_use_as_keys() -> None:
    assert hash(EmotionSettings(device="cpu")) == hash(EmotionSettings(device="cpu"))
