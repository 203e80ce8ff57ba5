"""Words grouped into what reads like sentences: the windows of the text engines."""

from __future__ import annotations

from collections.abc import Sequence

from services.emotion.tracks import Window
from voxmesh_schemas import Hypothesis, HypothesisWord

_PAUSE_MS = 500
_LONGEST_MS = 12_000
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")  # noqa: RUF001 - Chinese, Japanese
_CLOSING = "\"'”’»)]"  # noqa: RUF001 - what may follow a full stop


def sentences(words: Sequence[HypothesisWord]) -> list[tuple[HypothesisWord, ...]]:
    """Runs of words, in order.

    A run ends with a word that ends a sentence, before a pause of half a second or more, and
    before the word that would make it longer than twelve seconds.
    """
    runs: list[list[HypothesisWord]] = []
    for word in words:
        if not runs or _ends_before(runs[-1], word):
            runs.append([])
        runs[-1].append(word)
    return [tuple(run) for run in runs]


def sentence_windows(hypothesis: Hypothesis, languages: Sequence[str]) -> list[Window[str]]:
    """A window per sentence; one has content when most of its words are in one of the languages.

    `languages` are primary subtags; none stands for all. Words whose language nobody says are read.
    """
    windows = []
    for run in sentences(hypothesis.words):
        readable = sum(_is_in(word.language or hypothesis.language, languages) for word in run)
        text = " ".join(word.text for word in run) if 2 * readable > len(run) else None
        windows.append(Window(run[0].start_ms, max(word.end_ms for word in run), text))
    return windows


def _ends_before(run: Sequence[HypothesisWord], word: HypothesisWord) -> bool:
    last = run[-1]
    return (
        last.text.rstrip(_CLOSING).endswith(_SENTENCE_ENDS)
        or word.start_ms - last.end_ms >= _PAUSE_MS
        or word.end_ms - run[0].start_ms > _LONGEST_MS
    )


def _is_in(language: str | None, languages: Sequence[str]) -> bool:
    return not languages or language is None or language.split("-")[0].lower() in languages
