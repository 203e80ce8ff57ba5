"""Several engines' words for the same audio made into one, by a time-aware ROVER.

ROVER (Fiscus 1997) aligns hypotheses into a confusion network and lets each slot vote. Here words
are aligned by text and time, and a vote counts as much as its engine is to be believed, which is
learned from how the engines agree (`services.merge.reliability`): equal votes lose to the best
engine as soon as the others are much poorer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.merge.building import build_network
from services.merge.election import Alternative, Election, VotedWord
from services.merge.members import Member
from services.merge.reliability import Reliability, fit, learn_weights

__all__ = [
    "Alternative",
    "Member",
    "Reliability",
    "VotedWord",
    "learn_weights",
    "vote",
    "vote_all",
]


def vote(
    members: Sequence[Member],
    weights: Mapping[str, float] | None = None,
    reliability: Mapping[str, Reliability] | None = None,
) -> list[VotedWord]:
    """The words that the members of one recording agree on best, with rising starts.

    The order of the members does not matter; a sole member's words come back as they are.

    Args:
        members: at most one per engine.
        weights: trust in engines before anything is learned, 1 where left out.
        reliability: learned before; learned from these members when left out.
    """
    return vote_all([members], weights, reliability)[0]


def vote_all(
    recordings: Sequence[Sequence[Member]],
    weights: Mapping[str, float] | None = None,
    reliability: Mapping[str, Reliability] | None = None,
) -> list[list[VotedWord]]:
    """Vote on each recording, with reliabilities learned from all of them together."""
    voted = iter(_vote_contested([m for m in recordings if _contested(m)], weights, reliability))
    return [next(voted) if _contested(members) else _unopposed(members) for members in recordings]


def _contested(members: Sequence[Member]) -> bool:
    return len(members) > 1 and any(member.words for member in members)


def _unopposed(members: Sequence[Member]) -> list[VotedWord]:
    return [
        VotedWord(
            text=word.text,
            start_ms=word.start_ms,
            end_ms=word.end_ms,
            confidence=word.confidence,
            agreement=1.0,
            engines=(member.engine,),
            language=word.language,
        )
        for member in members
        for word in member.words
    ]


def _vote_contested(
    recordings: Sequence[Sequence[Member]],
    weights: Mapping[str, float] | None,
    reliability: Mapping[str, Reliability] | None,
) -> list[list[VotedWord]]:
    if not recordings:
        return []
    network = build_network(recordings)
    election = Election(network, fit(network, weights, reliability))
    return [election.words(index, members) for index, members in enumerate(recordings)]
