"""Words get speakers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import inf

from services.merge.overlap import overlaps
from services.merge.sentences import ends_sentence
from voxmesh_schemas import HypothesisWord, Turn

NEAREST_TURN_MS = 1_000
"""A word outside every turn belongs to one that is at most so far away."""
PAUSE_MS = 300
"""After such a silence a change of speaker is no surprise."""
SHORT_WORD_MS = 400
"""A word so short may be on the wrong side of a turn's edge."""
# In shares of a word: what a change of speaker must gain. Two changes within a sentence cost less
# than one whole word, so a word that lies clearly in someone's turn stays with them.
_CHANGE_IN_SENTENCE = 0.4
_CHANGE_BETWEEN_SENTENCES = 0.1


def attribute_words(
    words: Sequence[HypothesisWord], turns: Sequence[Turn]
) -> tuple[str | None, ...]:
    """The speaker of each word; None for a word too far from every turn.

    Words and turns of one channel on one timeline, both in order of start. A word costs a speaker
    the share of it that lies outside their turns, and a change of speaker costs more within a
    sentence than between two; the cheapest sequence wins (Viterbi 1967). So a word that a turn's
    edge cuts follows its sentence, and of two voices at once the one that covers more of the word
    has it, the one who was speaking when they cover the same. Last, a change of speaker that is one
    short word off the end of a sentence is moved there, as the edges of turns are seldom exact.
    Linear in words and turns.
    """
    candidates: list[dict[str | None, float]] = []
    nearest = _Neighbours(turns)
    for word, shared in zip(words, overlaps(words, turns), strict=True):
        covered: dict[str | None, float] = {}
        for index, shared_ms in shared:
            speaker = turns[index].speaker
            covered[speaker] = covered.get(speaker, 0.0) + shared_ms
        duration = max(word.duration_ms, 1)
        costs = {speaker: 1 - time / duration for speaker, time in covered.items()}
        candidates.append(costs or nearest.costs(word) or {None: 0.0})
    return _moved_to_sentence_ends(words, _cheapest_path(words, candidates))


class _Neighbours:
    """Finds the turns before and after a word that lies in none."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = turns
        self._starts = [turn.start_ms for turn in turns]
        self._last_to_end: list[Turn] = []
        for turn in turns:
            latest = self._last_to_end[-1] if self._last_to_end else turn
            self._last_to_end.append(turn if turn.end_ms > latest.end_ms else latest)

    def costs(self, word: HypothesisWord) -> dict[str | None, float]:
        """Distance by speaker as a share of `NEAREST_TURN_MS`, none farther than that."""
        following = bisect_left(self._starts, word.end_ms)
        distances: dict[str | None, int] = {}
        if following > 0:
            before = self._last_to_end[following - 1]
            distances[before.speaker] = max(word.start_ms - before.end_ms, 0)
        if following < len(self._turns):
            after = self._turns[following]
            distance = after.start_ms - word.end_ms
            distances[after.speaker] = min(distance, distances.get(after.speaker, distance))
        return {
            speaker: distance / NEAREST_TURN_MS
            for speaker, distance in distances.items()
            if distance <= NEAREST_TURN_MS
        }


def _cheapest_path(
    words: Sequence[HypothesisWord], candidates: Sequence[dict[str | None, float]]
) -> tuple[str | None, ...]:
    totals: dict[str | None, float] = {None: 0.0}
    came_from: list[dict[str | None, str | None]] = []
    for position, costs in enumerate(candidates):
        change = _change_cost(words[position - 1], words[position]) if position else 0.0
        cheapest = min(totals, key=totals.__getitem__)
        previous: dict[str | None, str | None] = {}
        reached: dict[str | None, float] = {}
        for speaker, cost in costs.items():
            stay, move = totals.get(speaker, inf), totals[cheapest] + change
            previous[speaker] = speaker if stay <= move else cheapest
            reached[speaker] = min(stay, move) + cost
        came_from.append(previous)
        totals = reached
    path: list[str | None] = []
    speaker = min(totals, key=totals.__getitem__)
    for previous in reversed(came_from):
        path.append(speaker)
        speaker = previous[speaker]
    return tuple(reversed(path))


def _change_cost(before: HypothesisWord, after: HypothesisWord) -> float:
    return _CHANGE_BETWEEN_SENTENCES if _parted(before, after) else _CHANGE_IN_SENTENCE


def _parted(before: HypothesisWord, after: HypothesisWord) -> bool:
    """Whether a sentence or a pause lies between two words."""
    return ends_sentence(before.text) or after.start_ms - before.end_ms >= PAUSE_MS


def _moved_to_sentence_ends(
    words: Sequence[HypothesisWord], speakers: Sequence[str | None]
) -> tuple[str | None, ...]:
    """Changes of speaker moved by a short word, where a sentence ends there and none where it was.

    Nobody loses their only word that way.
    """
    moved = list(speakers)
    for here in range(2, len(words) - 1):
        left, right = moved[here - 1], moved[here]
        if left == right or None in (left, right) or _parted(words[here - 1], words[here]):
            continue
        opens = _parted(words[here - 2], words[here - 1]) and moved[here - 2] == left
        closes = _parted(words[here], words[here + 1]) and moved[here + 1] == right
        if opens and words[here - 1].duration_ms <= SHORT_WORD_MS:
            moved[here - 1] = right
        elif closes and words[here].duration_ms <= SHORT_WORD_MS:
            moved[here] = left
    return tuple(moved)
