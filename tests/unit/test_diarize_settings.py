from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from services.diarize.settings import DiarizeSettings


@pytest.mark.parametrize("variable", ["HF_TOKEN", "VOXMESH_DIARIZE_HF_TOKEN"])
def test_the_token_is_read_from_either_variable_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv(variable, "hf_secret")
    settings = DiarizeSettings()
    assert settings.hf_token is not None
    assert settings.hf_token.get_secret_value() == "hf_secret"
    assert "hf_secret" not in repr(settings)


def test_the_service_own_variable_goes_before_the_hubs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_everyone")
    monkeypatch.setenv("VOXMESH_DIARIZE_HF_TOKEN", "hf_own")
    settings = DiarizeSettings()
    assert settings.hf_token is not None
    assert settings.hf_token.get_secret_value() == "hf_own"


def test_other_settings_have_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXMESH_DIARIZE_PYANNOTE_MODEL", "models/pipeline")
    assert DiarizeSettings().pyannote_model == "models/pipeline"


def test_they_can_be_given_by_name_and_used_as_a_key() -> None:
    settings = DiarizeSettings(hf_token=SecretStr("hf_x"), device="cpu")
    assert settings.hf_token == SecretStr("hf_x")
    assert {settings: 1}[DiarizeSettings(hf_token=SecretStr("hf_x"), device="cpu")] == 1


def test_an_empty_model_is_refused() -> None:
    with pytest.raises(ValidationError, match="pyannote_model"):
        DiarizeSettings(pyannote_model="")
