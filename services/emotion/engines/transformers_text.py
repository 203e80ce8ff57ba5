"""A text classifier of the transformers library, by name or folder.

The default, j-hartmann/emotion-english-distilroberta-base, knows Ekman's six emotions and neutral.
It reads English; sentences in a language that the settings do not name abstain.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from services.emotion.hub import fetched_folder, model_usability
from services.emotion.labels import Distribution, distribution
from services.emotion.sentences import sentence_windows
from services.emotion.settings import EmotionSettings
from services.emotion.torch_models import batches, class_scores, label_names, loading, torch_device
from services.emotion.tracks import classified
from services.runtime.engines import Usability, package_usability
from voxmesh_schemas import EmotionTrack, Hypothesis

_FILES = (
    ("config.json", "tokenizer_config.json", "model.safetensors"),
    ("config.json", "tokenizer_config.json", "pytorch_model.bin"),
)
_MOST_TOKENS = 256
"""A sentence of twelve seconds has some fifty words; what is longer than this is cut."""


class TransformersTextEngine:
    """Classifies sentences with a sequence classifier."""

    name: ClassVar[str] = "transformers"
    parallel: ClassVar[bool] = True
    sends_audio_to: ClassVar[str | None] = None

    def __init__(self, settings: EmotionSettings) -> None:
        self._settings = settings

    @property
    def model(self) -> str:
        """Folder, or name on the hub."""
        return self._settings.text_model

    def usability(self) -> Usability:
        """Usable with transformers and torch installed and the model here or in reach."""
        missing = package_usability("torch", "transformers", extra="transformers")
        return missing or model_usability(self.model, _FILES)

    def detect(self, hypothesis: Hypothesis) -> EmotionTrack:
        """A window per sentence; those in other languages abstain."""
        windows = sentence_windows(hypothesis, self._settings.text_model_languages)
        return EmotionTrack(
            engine=self.name,
            model=self.model,
            modality="text",
            windows=classified(windows, self._classify),
        )

    def _classify(self, texts: list[str]) -> list[Distribution | None]:
        tokenizer, network = self._pipeline
        labels = label_names(network)
        distributions = []
        for batch in batches(texts, self._settings.batch_size):
            tokens = tokenizer(
                list(batch),
                padding=True,
                truncation=True,
                max_length=min(_MOST_TOKENS, tokenizer.model_max_length),
                return_tensors="pt",
            )
            distributions += [distribution(labels, row) for row in class_scores(network, tokens)]
        return distributions

    @cached_property
    def _pipeline(self) -> tuple[Any, Any]:
        """Tokenizer and network."""
        folder = fetched_folder(self.model, _FILES)
        with loading(self.model):
            from transformers import AutoModelForSequenceClassification, AutoTokenizer

            network = AutoModelForSequenceClassification.from_pretrained(folder)
            device = torch_device(self._settings.device)
            return AutoTokenizer.from_pretrained(folder), network.eval().to(device)
