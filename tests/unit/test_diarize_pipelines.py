"""Finding a pipeline's files, without a network: HF_HUB_OFFLINE and a cache of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.diarize.pipelines import fetched_pipeline, local_pipeline, pipeline_usability
from services.runtime.engines import hub_reachable
from services.runtime.errors import EngineUnusableError, TransientError

pytest.importorskip("yaml")
pytest.importorskip("huggingface_hub")

PARTS = {
    "segmentation": ("pytorch_model.bin",),
    "embedding": ("pytorch_model.bin",),
    "plda": ("xvec_transform.npz", "plda.npz"),
}
FILES = [f"{part}/{file}" for part, files in PARTS.items() for file in files]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub_reachable.cache_clear()
    yield
    hub_reachable.cache_clear()


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """A complete folder in the form of community-1."""
    folder = tmp_path / "pipeline"
    lines = [f"    {part}: $model/{part}" for part in PARTS]
    folder.mkdir()
    (folder / "config.yaml").write_text("\n".join(["pipeline:", "  params:", *lines]), "utf-8")
    for file in FILES:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(b"weights")
    return folder


def test_a_complete_folder_is_usable_as_it_is(pipeline: Path) -> None:
    assert local_pipeline(str(pipeline)) == pipeline
    assert fetched_pipeline(str(pipeline), None) == pipeline
    assert pipeline_usability(str(pipeline), None).usable


@pytest.mark.parametrize("file", ["config.yaml", *FILES])
def test_a_folder_that_lacks_a_file_is_not(pipeline: Path, file: str) -> None:
    (pipeline / file).unlink()
    usability = pipeline_usability(str(pipeline), None)
    assert not usability.usable
    assert str(pipeline) in usability.reason
    assert "VOXMESH_DIARIZE_PYANNOTE_MODEL" in usability.remedy
    with pytest.raises(EngineUnusableError, match=r"config\.yaml"):
        fetched_pipeline(str(pipeline), None)


@pytest.mark.parametrize("config", ["", "[]", "pipeline: {}", "pipeline: {params: 3}", "a: [b"])
def test_a_config_that_describes_no_pipeline_is_refused(pipeline: Path, config: str) -> None:
    (pipeline / "config.yaml").write_text(config, "utf-8")
    assert not pipeline_usability(str(pipeline), None).usable


def test_a_part_may_be_a_folder_or_a_checkpoint_elsewhere(pipeline: Path, tmp_path: Path) -> None:
    (pipeline / "segmentation").rename(tmp_path / "mine")
    config = pipeline / "config.yaml"
    for place in (tmp_path / "mine", tmp_path / "mine" / "pytorch_model.bin"):
        text = f"pipeline: {{params: {{segmentation: {place}, embedding: $model/embedding, "
        config.write_text(text + "plda: $model/plda}}", "utf-8")
        assert local_pipeline(str(pipeline)) == pipeline


def test_a_part_on_the_hub_makes_a_folder_wait_for_it(pipeline: Path) -> None:
    config = pipeline / "config.yaml"
    text = config.read_text("utf-8").replace("$model/segmentation", "somebody/segmentation-of-hers")
    config.write_text(text, "utf-8")
    usability = pipeline_usability(str(pipeline), None)
    assert not usability.usable
    assert "out of reach" in usability.reason
    with pytest.raises(TransientError, match="out of reach"):
        fetched_pipeline(str(pipeline), None)


def test_a_name_that_is_not_cached_needs_the_hub() -> None:
    usability = pipeline_usability("nobody/nothing@main", "hf_secret")
    assert not usability.usable
    assert "connect once" in usability.remedy
    assert "hf_secret" not in usability.reason + usability.remedy
    with pytest.raises(TransientError, match="nobody/nothing@main"):
        fetched_pipeline("nobody/nothing@main", "hf_secret")


@pytest.mark.parametrize("model", ["/no/such/folder", "nothing", "../nothing", "a/b/c"])
def test_what_can_be_neither_folder_nor_name_is_refused(model: str) -> None:
    assert not pipeline_usability(model, None).usable
    with pytest.raises(EngineUnusableError, match="no folder, and no name on the hub"):
        fetched_pipeline(model, None)
