"""pyannote, on a tiny pipeline with random weights, built here in the form of community-1."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.diarize.engines import make
from services.diarize.settings import DiarizeSettings
from services.runtime.audio import SAMPLE_RATE_HZ, Samples
from services.runtime.engines import Diarizer
from services.runtime.errors import EngineUnusableError
from tests.contract.diarizer_suite import DiarizerContract, heard, speakers

torch = pytest.importorskip("torch")
if not (find_spec("pyannote") and find_spec("pyannote.audio")):
    pytest.skip("pyannote.audio is not installed", allow_module_level=True)

pytestmark = [
    pytest.mark.torch,
    # These libraries warn about each other's, and their own, deprecations when imported.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

WINDOW_S = 2.0
DIMENSION = 16
SEED = 3
"""Of random weights with which the pipeline hears several voices, some at once."""
CONFIG = """
dependencies:
  pyannote.audio: 4.0.0
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    clustering: VBxClustering
    segmentation: $model/segmentation
    segmentation_step: 0.5
    segmentation_batch_size: 8
    embedding: $model/embedding
    embedding_batch_size: 8
    embedding_exclude_overlap: true
    plda: $model/plda
params:
  clustering:
    threshold: 0.6
    Fa: 0.07
    Fb: 0.8
  segmentation:
    min_duration_off: 0.0
"""


def save(model: Any, folder: Path) -> None:
    """A checkpoint as training with Lightning leaves it."""
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": "2.6.0",
        "epoch": 0,
        "global_step": 0,
    }
    model.on_save_checkpoint(checkpoint)
    folder.mkdir()
    torch.save(checkpoint, folder / "pytorch_model.bin")


def tiny_segmentation() -> Any:
    """PyanNet with a powerset of two at once out of three speakers."""
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.segmentation import PyanNet

    torch.manual_seed(SEED)
    model = PyanNet(
        sincnet={"stride": 10},
        lstm={"hidden_size": 16, "num_layers": 1, "bidirectional": True, "monolithic": True},
        linear={"hidden_size": 16, "num_layers": 1},
    )
    model.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=WINDOW_S,
        classes=["speaker#1", "speaker#2", "speaker#3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    model.build()
    model.classifier.bias.data *= 0  # which would decide for one class everywhere
    return model


def tiny_embedding() -> Any:
    """An x-vector on SincNet features."""
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import XVectorSincNet

    torch.manual_seed(SEED)
    model = XVectorSincNet(dimension=DIMENSION)
    model.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=WINDOW_S
    )
    with torch.inference_mode():
        typical = model.eval()(torch.randn(8, 1, 16_000)).mean(dim=0)
    model.embedding.bias.data -= typical  # so that embeddings differ in direction
    return model


def save_plda(folder: Path) -> None:
    """The transforms of VBx: centring, LDA, and a PLDA that already is diagonal."""
    folder.mkdir()
    identity = np.eye(DIMENSION)
    zero = np.zeros(DIMENSION)
    np.savez(folder / "xvec_transform.npz", mean1=zero, mean2=zero, lda=identity)
    psi = np.linspace(2.0, 1.0, DIMENSION)
    np.savez(folder / "plda.npz", mu=zero, tr=identity, psi=psi)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the form of pyannote/speaker-diarization-community-1."""
    folder: Path = tmp_path_factory.mktemp("pyannote") / "pipeline"
    folder.mkdir()
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYANNOTE_METRICS_ENABLED", "0")
        save(tiny_segmentation(), folder / "segmentation")
        save(tiny_embedding(), folder / "embedding")
    save_plda(folder / "plda")
    return folder


@pytest.fixture(scope="module")
def loaded(pipeline: Path) -> Diarizer:
    """One engine for all tests, as a worker keeps it."""
    return make("pyannote", DiarizeSettings(pyannote_model=str(pipeline), device="cpu"))


class TestPyannote(DiarizerContract):
    seconds = 10

    @pytest.fixture
    def engine(self, loaded: Diarizer) -> Diarizer:
        return loaded

    def test_keeps_speech_of_two_at_once(self, engine: Diarizer, conversation: Samples) -> None:
        turns = heard(engine, conversation).turns
        assert any(
            one.speaker != other.speaker and one.end_ms > other.start_ms
            for number, one in enumerate(turns)
            for other in turns[number + 1 :]
        )

    def test_agrees_with_the_pipelines_own_output(
        self, engine: Diarizer, conversation: Samples, pipeline: Path
    ) -> None:
        from pyannote.audio import Pipeline

        own = Pipeline.from_pretrained(pipeline)(
            {"waveform": torch.from_numpy(conversation)[None], "sample_rate": SAMPLE_RATE_HZ}
        )
        diarization = heard(engine, conversation)
        segments = own.speaker_diarization.itertracks(yield_label=True)
        assert sorted((turn.start_ms, turn.end_ms) for turn in diarization.turns) == sorted(
            (round(segment.start * 1000), round(min(segment.end, self.seconds) * 1000))
            for segment, _, _ in segments
        )
        first = own.speaker_diarization.labels().index(
            next(own.speaker_diarization.itertracks(yield_label=True))[2]
        )
        expected = own.speaker_embeddings[first] / np.linalg.norm(own.speaker_embeddings[first])
        assert diarization.embeddings["A"] == pytest.approx(expected, abs=1e-6)

    def test_reports_nothing_to_the_makers_of_pyannote(
        self, engine: Diarizer, conversation: Samples
    ) -> None:
        heard(engine, conversation)
        from pyannote.audio.telemetry.metrics import is_metrics_enabled

        assert not is_metrics_enabled()


def test_a_pipeline_that_lacks_a_part_is_named(pipeline: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pipeline"
    shutil.copytree(pipeline, folder)
    (folder / "plda" / "plda.npz").unlink()
    engine = make("pyannote", DiarizeSettings(pyannote_model=str(folder)))
    assert not engine.usability().usable
    with pytest.raises(EngineUnusableError, match=folder.name):
        heard(engine, np.ones(1600, dtype=np.float32))


def test_a_damaged_checkpoint_is_refused_in_one_sentence(pipeline: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pipeline"
    shutil.copytree(pipeline, folder)
    (folder / "segmentation" / "pytorch_model.bin").write_bytes(b"not a checkpoint")
    engine = make("pyannote", DiarizeSettings(pyannote_model=str(folder), device="cpu"))
    with pytest.raises(EngineUnusableError, match="cannot be loaded"):
        heard(engine, np.ones(1600, dtype=np.float32))


@pytest.mark.parametrize("device", ["quantum", "cuda:99"])
def test_a_device_that_is_not_there_is_refused_by_name(pipeline: Path, device: str) -> None:
    engine = make("pyannote", DiarizeSettings(pyannote_model=str(pipeline), device=device))
    with pytest.raises(EngineUnusableError, match=device):
        heard(engine, np.ones(1600, dtype=np.float32))


def test_at_most_one_speaker_is_one(loaded: Diarizer) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 5 * SAMPLE_RATE_HZ).astype(np.float32)
    assert len(speakers(heard(loaded, noise, at_most=1))) <= 1
