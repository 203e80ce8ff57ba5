"""An audio classifier of the transformers library, by name or folder.

The default, superb/wav2vec2-base-superb-er, is the emotion baseline of the SUPERB benchmark (Yang
et al., Interspeech 2021), trained on IEMOCAP: neutral, happy, angry, sad.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from services.emotion.hub import fetched_folder, model_usability
from services.emotion.labels import Distribution, distribution
from services.emotion.settings import EmotionSettings
from services.emotion.torch_models import batches, class_scores, label_names, loading, torch_device
from services.emotion.tracks import classified
from services.emotion.windows import speech_windows
from services.runtime.audio import SAMPLE_RATE_HZ, Samples
from services.runtime.engines import Usability, package_usability
from voxmesh_schemas import EmotionTrack

_FILES = (
    ("config.json", "preprocessor_config.json", "model.safetensors"),
    ("config.json", "preprocessor_config.json", "pytorch_model.bin"),
)


class TransformersAudioEngine:
    """Classifies windows with an audio classifier."""

    name: ClassVar[str] = "transformers"
    parallel: ClassVar[bool] = True
    sends_audio_to: ClassVar[str | None] = None

    def __init__(self, settings: EmotionSettings) -> None:
        self._settings = settings

    @property
    def model(self) -> str:
        """Folder, or name on the hub."""
        return self._settings.audio_model

    def usability(self) -> Usability:
        """Usable with transformers and torch installed and the model here or in reach."""
        missing = package_usability("torch", "transformers", extra="transformers")
        return missing or model_usability(self.model, _FILES)

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
        extractor, network = self._pipeline
        labels = label_names(network)
        distributions = []
        for batch in batches(waves, self._settings.batch_size):
            inputs = extractor(list(batch), sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")
            distributions += [distribution(labels, row) for row in class_scores(network, inputs)]
        return distributions

    @cached_property
    def _pipeline(self) -> tuple[Any, Any]:
        """Feature extractor and network."""
        folder = fetched_folder(self.model, _FILES)
        with loading(self.model):
            from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

            network = AutoModelForAudioClassification.from_pretrained(folder)
            device = torch_device(self._settings.device)
            return AutoFeatureExtractor.from_pretrained(folder), network.eval().to(device)
