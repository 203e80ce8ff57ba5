"""Words become utterances: what one speaker says without a long pause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from services.merge.sentences import ends_sentence, join_words
from voxmesh_schemas import HypothesisWord, Utterance, Word

PAUSE_MS = 800
"""A silence that ends an utterance."""
SENTENCES_MS = 3_000
"""After so long, the end of a sentence ends the utterance too; shorter sentences stay together."""
LONGEST_MS = 30_000
"""Longer utterances are cut at their longest pause."""


def cut_utterances(
    words: Sequence[HypothesisWord],
    speakers: Sequence[str | None],
    *,
    channel: int = 0,
    language: str | None = None,
) -> tuple[Utterance, ...]:
    """Utterances of one channel, which have each word once and in order.

    `words` in order of start, `speakers` one for each; `language` is that of words without their
    own.
    """
    return tuple(
        _utterance(words[first:last], speakers[first], channel, language)
        for start, end in _runs(words, speakers)
        for first, last in _within_longest(words, start, end)
    )


def most_spoken(languages: Iterable[str | None]) -> str | None:
    """The language that occurs most, the first to occur among equals; None when none is known."""
    counts = Counter(language for language in languages if language)
    return max(counts, key=counts.__getitem__, default=None)


def _runs(
    words: Sequence[HypothesisWord], speakers: Sequence[str | None]
) -> Iterator[tuple[int, int]]:
    start = 0
    for position in range(1, len(words)):
        before, after = words[position - 1], words[position]
        ended = (
            speakers[position] != speakers[position - 1]
            or after.start_ms - before.end_ms >= PAUSE_MS
            or (
                before.end_ms - words[start].start_ms >= SENTENCES_MS and ends_sentence(before.text)
            )
        )
        if ended:
            yield start, position
            start = position
    if words:
        yield start, len(words)


def _within_longest(
    words: Sequence[HypothesisWord], start: int, end: int
) -> Iterator[tuple[int, int]]:
    """Pieces of a run of words, none longer than `LONGEST_MS` unless it is a single word."""
    while words[end - 1].end_ms - words[start].start_ms > LONGEST_MS and end - start > 1:
        cut = _longest_pause(words, start, end)
        yield start, cut
        start = cut
    yield start, end


def _longest_pause(words: Sequence[HypothesisWord], start: int, end: int) -> int:
    """Where to cut: in the second half of what fits, so that no sliver is left."""
    begin_ms = words[start].start_ms
    fits = list(
        takewhile(
            lambda position: words[position - 1].end_ms <= begin_ms + LONGEST_MS,
            range(start + 1, end),
        )
    )
    late = [cut for cut in fits if words[cut - 1].end_ms >= begin_ms + LONGEST_MS // 2]
    return max(
        late or fits or [start + 1],
        key=lambda position: (words[position].start_ms - words[position - 1].end_ms, position),
    )


def _utterance(
    words: Sequence[HypothesisWord], speaker: str | None, channel: int, language: str | None
) -> Utterance:
    return Utterance(
        start_ms=words[0].start_ms,
        end_ms=max(word.end_ms for word in words),
        speaker=speaker,
        channel=channel,
        language=most_spoken(word.language or language for word in words),
        text=join_words(word.text for word in words),
        words=tuple(
            Word(
                start_ms=word.start_ms,
                end_ms=word.end_ms,
                text=word.text,
                confidence=word.confidence,
            )
            for word in words
        ),
    )
