"""SpeechBrain's wav2vec2 classifier, fine-tuned on IEMOCAP: neutral, angry, happy, sad.

Y. Wang, A. Boumadane and A. Heba, "A Fine-tuned Wav2vec 2.0/HuBERT Benchmark For Speech Emotion
Recognition, Speaker Verification and Spoken Language Understanding", arXiv:2111.02735: the last
layer's features, averaged over time, through one linear layer.

How it loads: the published way, `foreign_class`, runs a Python file from the model's repository,
and HyperPyYAML builds whatever hyperparams.yaml names. Here that file is read as plain data, the
network is put together from SpeechBrain's own classes, and the checkpoints are read as weights
only: a model is data and can run nothing. Of the backbone (wav2vec2-base) only the configuration is
fetched, as the checkpoint holds all of its weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from services.emotion.hub import fetched_folder, local_folder, model_usability
from services.emotion.labels import Distribution, distribution
from services.emotion.settings import EmotionSettings
from services.emotion.torch_models import batches, inference, loading, torch_device
from services.emotion.tracks import classified
from services.emotion.windows import speech_windows
from services.runtime.audio import Samples
from services.runtime.engines import Usability, package_usability
from services.runtime.errors import EngineUnusableError
from voxmesh_schemas import EmotionTrack

_FILES = (("hyperparams.yaml", "wav2vec2.ckpt", "model.ckpt", "label_encoder.txt"),)
_BACKBONE_FILES = (("config.json", "preprocessor_config.json"),)
_UNUSED_WEIGHTS = {"model.masked_spec_embed"}
"""Weights for training alone, which a checkpoint may lack."""


@dataclass(frozen=True)
class _Classifier:
    encoder: Any
    """Waveforms (batch, samples) to features (batch, frames, size)."""
    head: Any
    """Features (batch, size) to scores (batch, labels)."""
    labels: tuple[str, ...]
    device: str


class SpeechBrainEngine:
    """Classifies windows with a model in the form of SpeechBrain's IEMOCAP recipe."""

    name: ClassVar[str] = "speechbrain"
    parallel: ClassVar[bool] = True
    sends_audio_to: ClassVar[str | None] = None

    def __init__(self, settings: EmotionSettings) -> None:
        self._settings = settings

    @property
    def model(self) -> str:
        """Folder, or name on the hub."""
        return self._settings.speechbrain_model

    def usability(self) -> Usability:
        """Usable with SpeechBrain installed and the model and its backbone here or in reach."""
        missing = package_usability("torch", "transformers", "speechbrain", extra="speechbrain")
        if missing is not None:
            return missing
        usability = model_usability(self.model, _FILES)
        folder = local_folder(self.model, _FILES)
        if folder is None:
            return usability
        try:
            backbone = _backbone(folder, _hyperparameters(folder))
        except EngineUnusableError as error:
            return Usability(usable=False, reason=str(error), remedy="fetch the model again")
        fetchable = model_usability(backbone, _BACKBONE_FILES)
        return usability if fetchable.usable else fetchable

    def detect(self, samples: Samples) -> EmotionTrack:
        """Windows with probabilities; those without speech abstain."""
        windows = speech_windows(samples, self._settings.window_ms, self._settings.hop_ms)
        return EmotionTrack(
            engine=self.name,
            model=self.model,
            modality="audio",
            windows=classified(windows, self._classify),
        )

    def _classify(self, waves: list[Samples]) -> list[Distribution | None]:
        import torch

        network = self._network
        distributions = []
        for batch in batches(waves, self._settings.batch_size):
            with inference():
                features = network.encoder(torch.from_numpy(np.stack(batch)).to(network.device))
                # SpeechBrain's StatisticsPooling is this mean plus random noise, even at inference.
                scores = network.head(features.mean(dim=1)).softmax(dim=-1).tolist()
            distributions += [distribution(network.labels, row) for row in scores]
        return distributions

    @cached_property
    def _network(self) -> _Classifier:
        folder = fetched_folder(self.model, _FILES)
        with loading(self.model):
            return _load(folder, torch_device(self._settings.device))


def _load(folder: Path, device: str) -> _Classifier:
    from speechbrain.dataio.encoder import CategoricalEncoder
    from speechbrain.nnet.linear import Linear
    from torch.nn import ModuleList

    hyperparameters = _hyperparameters(folder)
    names = CategoricalEncoder.from_saved(folder / "label_encoder.txt").ind2lab
    encoder = _untrained_encoder(folder, hyperparameters)
    head = Linear(
        input_size=hyperparameters["encoder_dim"],
        n_neurons=len(names),
        bias=hyperparameters["output_mlp"].get("bias", True),
    )
    _load_weights(encoder, folder / "wav2vec2.ckpt")
    _load_weights(ModuleList([head]), folder / "model.ckpt")
    labels = tuple(names[index] for index in range(len(names)))
    return _Classifier(encoder.eval().to(device), head.eval().to(device), labels, device)


def _untrained_encoder(folder: Path, hyperparameters: dict[str, Any]) -> Any:  # noqa: ANN401 - has no types
    from speechbrain.integrations.huggingface.wav2vec2 import Wav2Vec2

    class Encoder(Wav2Vec2):  # type: ignore[misc]  # SpeechBrain has no types
        def _from_pretrained(self, *_: object, **__: object) -> None:
            self.model = self.auto_class.from_config(self.config)

    backbone = fetched_folder(_backbone(folder, hyperparameters), _BACKBONE_FILES)
    output_norm = hyperparameters["wav2vec2"].get("output_norm", False)
    return Encoder(str(backbone), save_path=None, output_norm=output_norm, freeze=True)


def _load_weights(module: Any, checkpoint: Path) -> None:  # noqa: ANN401 - torch has no types here
    import torch

    weights = torch.load(checkpoint, map_location="cpu", weights_only=True)
    missing = set(module.load_state_dict(weights, strict=False).missing_keys) - _UNUSED_WEIGHTS
    if missing:
        raise ValueError(f"{checkpoint.name} lacks {len(missing)} weights")


def _backbone(folder: Path, hyperparameters: dict[str, Any]) -> str:
    """The pretrained model that was fine-tuned: a folder inside the model's, or a name."""
    name = str(hyperparameters.get("wav2vec2_hub", "facebook/wav2vec2-base"))
    return str(folder / name) if (folder / name).is_dir() else name


def _hyperparameters(folder: Path) -> dict[str, Any]:
    """The hyperparameter file as plain data: what a tag would build stays a dict or a string."""
    import yaml  # type: ignore[import-untyped]  # its types are a package of their own

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # as above
        """Reads tagged nodes as if they had no tag."""

    def untagged(loader: Any, _suffix: str, node: Any) -> object:  # noqa: ANN401 - as above
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    Loader.add_multi_constructor("!", untagged)
    try:
        data = yaml.load((folder / "hyperparams.yaml").read_text("utf-8"), Loader)  # noqa: S506 - is a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError):
        data = None
    if not isinstance(data, dict):
        raise EngineUnusableError(f"{folder / 'hyperparams.yaml'} holds no hyperparameters")
    return data
