"""One stage alone, on files: in and out in the field's own formats."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from services.cli.exits import SUCCESS
from services.ingest.chunking import Cut
from services.ingest.recording import Recording, open_recording
from services.ingest.sources import SourcePolicy
from services.runtime.audio import Samples
from services.runtime.engines import Engine
from services.runtime.errors import BadInputError, EngineUnusableError
from services.runtime.registry import Registry
from voxmesh_schemas import (
    ChunkSpan,
    Diarization,
    EmotionWindow,
    HypothesisWord,
    Source,
    Turn,
)

E = TypeVar("E", bound=Engine)


def transcribe(
    recording: Path, engine: str | None, language: str | None, form: str, output: Path | None
) -> int:
    """Words of a recording, as CTM or JSON."""
    from services.merge.ctm import write_ctm
    from services.merge.stitching import ChunkWords, stitch
    from services.transcribe.engines import ENGINES
    from services.transcribe.settings import TranscribeSettings

    settings = TranscribeSettings()
    chosen = usable(ENGINES, settings, engine)
    chunks: list[ChunkWords] = []
    with opened(recording) as source:
        for cut in source.chunks():
            heard = chosen.transcribe(samples_of(cut), language=language)
            chunks.append(ChunkWords(cut.start_ms, cut.end_ms, heard.words))
            told(cut)
    words = stitch(chunks)
    if form == "json":
        return write(TypeAdapter(list[HypothesisWord]).dump_json(words, indent=2), output)
    # A CTM's fields end at blanks.
    name = "_".join(recording.stem.split()) or "recording"
    return write(write_ctm({(name, "1"): words}).encode(), output)


def vote(hypotheses: Sequence[Path], weights: Sequence[str], output: Path | None) -> int:
    """The words that several engines' CTM files agree on best, as CTM."""
    from services.merge.ctm import vote_ctm

    texts: dict[str, str] = {}
    for path in hypotheses:
        if path.stem in texts:
            raise BadInputError(f"two files are called {path.stem}, and engines go by their files")
        try:
            texts[path.stem] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInputError(f"cannot read {path} as text") from error
    return write(vote_ctm(texts, engine_weights(weights, texts)).encode(), output)


def engine_weights(texts: Sequence[str], engines: Container[str]) -> dict[str, float]:
    """Trust in engines from `engine=number` texts.

    Raises:
        BadInputError: when one is not of that form, not above 0, or of no engine that is there.
    """
    weights: dict[str, float] = {}
    for text in texts:
        engine, _, number = text.rpartition("=")
        try:
            weights[engine] = float(number)
        except ValueError:
            weights[engine] = 0.0
        if engine not in engines or not 0 < weights[engine] < float("inf"):
            raise BadInputError(f"--weight {text!r} is not ENGINE=NUMBER, above 0, of a file given")
    return weights


def diarize(
    recording: Path,
    engine: str | None,
    min_speakers: int | None,
    max_speakers: int | None,
    form: str,
    output: Path | None,
) -> int:
    """Turns of a recording, as RTTM or JSON."""
    from services.diarize.engines import ENGINES
    from services.diarize.settings import DiarizeSettings
    from services.merge.linking import link_speakers
    from services.merge.rttm import format_rttm

    settings = DiarizeSettings()
    chosen = usable(ENGINES, settings, engine)
    found: list[tuple[ChunkSpan, Diarization]] = []
    with opened(recording) as source:
        for cut in source.chunks():
            diarization = chosen.diarize(
                samples_of(cut), min_speakers=None, max_speakers=max_speakers
            )
            found.append((_span(cut), diarization))
            told(cut)
    linked = link_speakers(found, min_speakers=min_speakers, max_speakers=max_speakers)
    turns = linked.get(0, ())
    if form == "json":
        return write(TypeAdapter(list[Turn]).dump_json(list(turns), indent=2), output)
    return write(format_rttm(recording.stem, turns).encode(), output)


def emotion(recording: Path, engine: str | None, output: Path | None) -> int:
    """Emotion windows of a recording, as JSON."""
    from services.emotion.engines import AUDIO
    from services.emotion.settings import EmotionSettings

    settings = EmotionSettings()
    chosen = usable(AUDIO, settings, engine)
    windows: list[EmotionWindow] = []
    with opened(recording) as source:
        for cut in source.chunks():
            for window in chosen.detect(samples_of(cut)).windows:
                times = {
                    "start_ms": cut.start_ms + window.start_ms,
                    "end_ms": cut.start_ms + window.end_ms,
                }
                windows.append(window.model_copy(update=times))
            told(cut)
    return write(TypeAdapter(list[EmotionWindow]).dump_json(windows, indent=2), output)


def usable(engines: Registry[E], settings: object, wanted: str | None) -> E:
    """The engine that is wanted, or the first that works here and sends audio nowhere.

    Raises:
        EngineUnusableError: when it does not work, or none does.
    """
    reasons = []
    for name in (wanted,) if wanted else engines.names:
        engine = engines.make(name, settings)
        if engine.sends_audio_to and not wanted:
            continue
        found = engine.usability()
        if found.usable:
            return engine
        reasons.append(f"{name}: {found.reason}. {found.remedy}".strip())
    raise EngineUnusableError("; ".join(reasons))


@contextmanager
def opened(recording: Path) -> Iterator[Recording]:
    """A file of this machine as ingest reads it."""
    policy = SourcePolicy(local_files=True, private_networks=False)
    source = Source(uri=str(recording.expanduser().absolute()), name=recording.name)
    with open_recording(source, policy=policy, channels="mix") as found:
        yield found


def samples_of(cut: Cut) -> Samples:
    """A chunk's samples as engines take them."""
    import numpy as np

    return cut.samples.astype(np.float32) / np.float32(32768)


def _span(cut: Cut) -> ChunkSpan:
    return ChunkSpan(
        index=cut.index, start_ms=cut.start_ms, end_ms=cut.end_ms, overlap_ms=cut.overlap_ms
    )


def told(cut: Cut) -> None:
    """Say how far we are, where a person watches."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{cut.end_ms / 1000:.0f} s done ")


def write(data: bytes, output: Path | None) -> int:
    """Write a result to a file, or to standard output."""
    if output is None:
        sys.stdout.buffer.write(data)
        return SUCCESS
    try:
        output.write_bytes(data)
    except OSError as error:
        raise BadInputError(f"cannot write {output}: {error.strerror}") from error
    return SUCCESS
