"""What engines that ask a vendor share: settings with keys, names of languages, notes left out."""

from __future__ import annotations

import subprocess
import sys

import pytest

from services.transcribe.cloud import spoken, with_key_terms
from services.transcribe.engines import NAMES
from services.transcribe.language_names import tag_named
from services.transcribe.settings import TranscribeSettings
from services.transcribe.words import Heard
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        (["[MUSIC]", "Ask", "not"], ["Ask", "not"]),
        (["(soft", "applause)", "Thanks."], ["Thanks."]),
        (["Ask", "[background", "noise].", "not"], ["Ask", "not"]),
        (["<noise>"], []),
        (["(we", "never", "close"], ["(we", "never", "close"]),
        (["f(x)", "is"], ["f(x)", "is"]),
        ([], []),
    ],
)
def test_notes_that_nobody_spoke_are_left_out(texts: list[str], kept: list[str]) -> None:
    heard = [Heard(text, 0, 0, None) for text in texts]
    assert [word.text for word in spoken(heard)] == kept


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("english", "en"),
        ("English", "en"),
        ("Haitian Creole", "ht"),
        ("javanese", "jv"),
        ("en", "en"),
        ("de-AT", "de"),
        ("", None),
        (None, None),
        ("klingon", None),
    ],
)
def test_languages_are_known_by_name_or_code(name: str | None, tag: str | None) -> None:
    assert tag_named(name) == tag


def test_other_key_terms_are_another_model() -> None:
    names = {with_key_terms("nova-3", terms) for terms in ((), ("a",), ("a", "b"), ("a b",))}
    assert len(names) == 4
    assert with_key_terms("nova-3", ()) == "nova-3"
    assert "secret name" not in with_key_terms("nova-3", ("secret name",))


@pytest.mark.parametrize("variable", ["VOXMESH_TRANSCRIBE_DEEPGRAM_API_KEY", "DEEPGRAM_API_KEY"])
def test_a_key_is_read_from_either_variable(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    for name in ("VOXMESH_TRANSCRIBE_DEEPGRAM_API_KEY", "DEEPGRAM_API_KEY"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv(variable, "sk-secret")
    settings = TranscribeSettings()
    assert settings.deepgram_api_key
    assert settings.deepgram_api_key.get_secret_value() == "sk-secret"
    assert "sk-secret" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_key_terms_have_commas_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXMESH_TRANSCRIBE_KEY_TERMS", "Kubernetes, Jo Ångström,")
    assert TranscribeSettings().key_terms == ("Kubernetes", "Jo Ångström")


def test_the_readme_has_every_setting() -> None:
    readme = (ROOT / "services" / "transcribe" / "README.md").read_text()
    rows = {line.split("`")[1] for line in readme.splitlines() if line.startswith("| `")}
    assert {name.upper() for name in TranscribeSettings.model_fields} <= rows
    assert set(NAMES) <= rows


def test_no_sdk_is_imported_before_it_is_used() -> None:
    sdks = {
        "assemblyai",
        "deepgram",
        "openai",
        "google.genai",
        "google.cloud",
        "speechmatics",
        "av",
    }
    program = (
        "import sys\n"
        "from services.transcribe.engines import NAMES, make\n"
        "from services.transcribe.settings import TranscribeSettings\n"
        "for name in NAMES: make(name, TranscribeSettings()).model\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert sdks.isdisjoint(done.stdout.split())
