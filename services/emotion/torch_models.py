"""What the engines that run on torch share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from services.runtime.errors import EngineUnusableError, TransientError, VoxmeshError

Item = TypeVar("Item")


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Runs of `size` items, the last one with what is left."""
    for first in range(0, len(items), size):
        yield items[first : first + size]


def torch_device(name: str) -> str:
    """The torch device of a name, where `auto` is CUDA when there is one and else the CPU.

    Raises:
        EngineUnusableError: when there is no such device here.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:  # the latter where torch is built without CUDA
        raise EngineUnusableError(
            f"torch has no device {name!r} here; set VOXMESH_EMOTION_DEVICE=auto"
        ) from error
    return name


@contextmanager
def loading(model: str) -> Iterator[None]:
    """Turns what goes wrong while a model is loaded into an error of the mesh."""
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()  # a worker's standard error is for its log

    try:
        yield
    except VoxmeshError:
        raise
    except torch.OutOfMemoryError as error:
        raise TransientError(f"the GPU has no room for the model {model} now") from error
    except Exception as error:  # a damaged file fails in as many ways as there are libraries
        raise EngineUnusableError(
            f"the model {model} cannot be loaded ({type(error).__name__}); fetch its files again"
        ) from error


@contextmanager
def inference() -> Iterator[None]:
    """A forward pass without gradients; a full GPU is worth another try later."""
    import torch

    try:
        with torch.inference_mode():
            yield
    except torch.OutOfMemoryError as error:
        raise TransientError(
            "the GPU ran out of memory; a smaller VOXMESH_EMOTION_BATCH_SIZE needs less"
        ) from error


def class_scores(network: Any, inputs: Any) -> list[list[float]]:  # noqa: ANN401 - has no types
    """Probabilities of the labels of a transformers classifier, a row per input.

    Where its labels do not exclude each other, a row need not add up to 1.
    """
    with inference():
        logits = network(**inputs.to(network.device)).logits.float()
        exclusive = network.config.problem_type != "multi_label_classification"
        rows: list[list[float]] = (
            logits.softmax(dim=-1) if exclusive else logits.sigmoid()
        ).tolist()
    return rows


def label_names(network: Any) -> list[str]:  # noqa: ANN401 - has no types
    """The labels of a transformers classifier, in the order of its scores."""
    return [network.config.id2label[index] for index in range(network.config.num_labels)]
