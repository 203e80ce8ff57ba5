"""pyannote.audio 4: neural segmentation and voice embeddings; overlapping speech is kept.

Pipelines: `community-1`, `3.1`, or any other of the kind. All segment with a powerset network
(A. Plaquet and H. Bredin, "Powerset multi-class cross entropy loss for neural speaker diarization",
Interspeech 2023); community-1 clusters with VBx (F. Landini et al., "Bayesian HMM clustering of
x-vector sequences (VBx) in speaker diarization", Computer Speech & Language 71, 2022).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cached_property
from io import StringIO
from typing import Any, ClassVar

import numpy as np

from services.diarize.pipelines import fetched_pipeline, pipeline_usability
from services.diarize.settings import DiarizeSettings
from services.diarize.turns import named
from services.runtime.audio import SAMPLE_RATE_HZ, Samples
from services.runtime.engines import Usability, package_usability
from services.runtime.errors import EngineUnusableError, TransientError, VoxmeshError
from voxmesh_schemas import Diarization, Turn


class Pyannote:
    """Runs a pretrained pipeline of pyannote.audio."""

    name: ClassVar[str] = "pyannote"
    parallel: ClassVar[bool] = True
    sends_audio_to: ClassVar[str | None] = None

    def __init__(self, settings: DiarizeSettings) -> None:
        self._settings = settings

    @property
    def model(self) -> str:
        """Folder, or name on the hub."""
        return self._settings.pyannote_model

    def usability(self) -> Usability:
        """Usable with pyannote.audio installed and the pipeline here or in reach."""
        missing = package_usability("torch", "pyannote", "pyannote.audio", extra="pyannote")
        return missing or pipeline_usability(self.model, self._token)

    def diarize(
        self, samples: Samples, *, min_speakers: int | None, max_speakers: int | None
    ) -> Diarization:
        """Turns that may overlap, and the pipeline's own embedding of every voice it has one for.

        Raises:
            EngineUnusableError: when the pipeline cannot be had or loaded.
            TransientError: when the hub is out of reach or the GPU is full.
        """
        if not samples.any():
            return Diarization(engine=self.name, model=self.model, turns=())
        import torch

        with _running():
            output = self._pipeline(
                {"waveform": torch.from_numpy(samples)[None], "sample_rate": SAMPLE_RATE_HZ},
                min_speakers=min_speakers,
                max_speakers=max_speakers,
            )
        turns, names = named(_turns(output.speaker_diarization, len(samples)))
        found = _embeddings(output)
        embeddings = {new: found[old] for old, new in names.items() if old in found}
        return Diarization(engine=self.name, model=self.model, turns=turns, embeddings=embeddings)

    @property
    def _token(self) -> str | None:
        """That of the settings, else that of `hf auth login`."""
        from huggingface_hub import get_token

        token = self._settings.hf_token
        return (token.get_secret_value() if token else None) or get_token()

    @cached_property
    def _pipeline(self) -> Any:  # noqa: ANN401 - pyannote.audio has no types
        os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")  # it reports to its makers otherwise
        folder = fetched_pipeline(self.model, self._token)
        with _loading(self.model):
            import torch
            from pyannote.audio import Pipeline

            pipeline = Pipeline.from_pretrained(folder, token=self._token)
            return pipeline.to(torch.device(_device(self._settings.device)))


def _turns(annotation: Any, samples: int) -> Iterator[Turn]:  # noqa: ANN401 - as above
    end_of_chunk = samples * 1000 // SAMPLE_RATE_HZ
    for segment, _, speaker in annotation.itertracks(yield_label=True):
        start = max(0, round(segment.start * 1000))
        end = min(end_of_chunk, round(segment.end * 1000))
        if start < end:
            yield Turn(start_ms=start, end_ms=end, speaker=speaker)


def _embeddings(output: Any) -> dict[str, tuple[float, ...]]:  # noqa: ANN401 - as above
    """Of unit length, by the pipeline's labels; without those that it has nothing to make of."""
    if output.speaker_embeddings is None:
        return {}
    rows = np.asarray(output.speaker_embeddings, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1)
    return {
        speaker: tuple((row / length).tolist())
        for speaker, row, length in zip(
            output.speaker_diarization.labels(), rows, lengths, strict=False
        )
        if np.isfinite(length) and length > 0
    }


def _device(name: str) -> str:
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:  # the latter where torch is built without CUDA
        raise EngineUnusableError(
            f"torch has no device {name!r} here; set VOXMESH_DIARIZE_DEVICE=auto"
        ) from error
    return name


@contextmanager
def _loading(model: str) -> Iterator[None]:
    """Turns what goes wrong while a pipeline is loaded into an error of the mesh."""
    import torch

    try:
        # It prints advice about the hub, and warns that it cannot decode files, which it never has
        # to: both are for people at a prompt.
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    except (VoxmeshError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # a damaged file fails in as many ways as there are libraries
        raise EngineUnusableError(
            f"the pipeline {model} cannot be loaded ({type(error).__name__}); fetch it again"
        ) from error


@contextmanager
def _running() -> Iterator[None]:
    """A pass over a chunk; a full GPU is worth another try later."""
    import torch

    try:
        with warnings.catch_warnings():
            # About chunks with little speech: too few frames for a deviation, fewer voices than
            # asked for. Both are as they should be.
            warnings.simplefilter("ignore")
            yield
    except torch.OutOfMemoryError as error:
        raise TransientError("the GPU ran out of memory while telling voices apart") from error
