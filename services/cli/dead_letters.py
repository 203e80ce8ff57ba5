"""`voxmesh dead-letters`: what nobody could handle, and having it handled again."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from services.cli.brokers import started_bus
from services.cli.exits import SUCCESS
from services.runtime.bus import Bus, Message
from services.runtime.errors import BadInputError
from services.runtime.postponing import timestamp
from services.runtime.topics import REPLAYED
from voxmesh_schemas import DeadLetter

ID_SHOWN = 8


@dataclass(frozen=True)
class Kept:
    """A dead letter, as often as it has come."""

    letter: DeadLetter
    at: str
    """When it came last: RFC 3339, UTC."""
    times: int
    replayed_at: str

    @property
    def job(self) -> str:
        """The job it is about, if it says so."""
        return self.letter.headers.get("ce_subject", "").partition("/")[0]

    def record(self) -> dict[str, object]:
        """The same for programs."""
        own = {"id": self.letter.id, "job": self.job, "at": self.at, "times": self.times}
        return {**own, "replayed_at": self.replayed_at, **self.letter.model_dump(mode="json")}


def listed(broker: str, job: str | None, *, everything: bool, as_json: bool) -> int:
    """List dead letters."""

    async def run() -> int:
        async with started_bus(broker) as bus:
            found = _chosen(await _kept(bus), [], job, everything=everything)
        if as_json:
            _print_json([kept.record() for kept in found])
        else:
            Console().print(_table(found) if found else "no dead letters")
        return SUCCESS

    return asyncio.run(run())


def show(ids: Sequence[str], broker: str, *, as_json: bool) -> int:
    """Show dead letters whole."""

    async def run() -> int:
        async with started_bus(broker) as bus:
            found = _chosen(await _kept(bus), ids, None, everything=True)
        if as_json:
            _print_json([kept.record() for kept in found])
        else:
            for kept in found:
                _print_whole(kept)
        return SUCCESS

    return asyncio.run(run())


def replay(
    ids: Sequence[str], broker: str, job: str | None, *, everything: bool, as_json: bool
) -> int:
    """Publish the originals of dead letters again."""
    if not (ids or job or everything):
        raise BadInputError("say which dead letters: their ids, --job or --all")

    async def run() -> int:
        async with started_bus(broker) as bus:
            found = _chosen(await _kept(bus), ids, job, everything=bool(ids))
            for kept in found:
                at = timestamp(datetime.now(UTC)).encode()  # before it can die again
                await bus.publish(original_of(kept.letter))
                await bus.publish(Message(REPLAYED, kept.letter.id, at))
        if as_json:
            _print_json([kept.letter.id for kept in found])
        else:
            Console().print(f"replayed {len(found)}")
        return SUCCESS

    return asyncio.run(run())


def original_of(letter: DeadLetter) -> Message:
    """The message that nobody could handle, as it was."""
    return Message(
        topic=letter.original_topic,
        key=letter.original_key,
        body=base64.b64decode(letter.body_base64),
        headers=letter.headers,
    )


async def _kept(bus: Bus) -> list[Kept]:
    replayed = {m.key: m.body.decode() async for m in bus.kept(REPLAYED)}
    letters: dict[str, list[DeadLetter]] = {}
    async for message in bus.kept(DeadLetter.topic):
        letter = DeadLetter.model_validate_json(message.body)
        letters.setdefault(letter.id, []).append(letter)
    found = [
        Kept(same[-1], _died_at(same[-1]), len(same), replayed.get(number, ""))
        for number, same in letters.items()
    ]
    return sorted(found, key=lambda kept: kept.at)


def _died_at(letter: DeadLetter) -> str:
    return letter.history[-1].at if letter.history else ""


def _chosen(
    kept: Sequence[Kept], ids: Sequence[str], job: str | None, *, everything: bool
) -> list[Kept]:
    """Those of these ids (all for none) and of this job; replayed ones when everything is asked.

    Raises:
        BadInputError: when an id is of none, or of several.
    """
    for number in ids:
        matches = sum(one.letter.id.startswith(number) for one in kept)
        if matches != 1:
            raise BadInputError(f"{matches or 'no'} dead letters have an id that begins {number}")
    return [
        one
        for one in kept
        if (not ids or any(one.letter.id.startswith(number) for number in ids))
        and (job is None or one.job == job)
        and (everything or one.replayed_at <= one.at)
    ]


def _table(found: Sequence[Kept]) -> Table:
    table = Table("id", "when", "service", "topic", "job", "error", box=None, pad_edge=False)
    for kept in found:
        letter, when = kept.letter, kept.at[:19]
        about = [letter.group, letter.original_topic, kept.job, letter.error]
        table.add_row(letter.id[:ID_SHOWN], when, *about)
    return table


def _print_whole(kept: Kept) -> None:
    letter, console = kept.letter, Console(markup=False, highlight=False)
    console.print(f"{letter.id}\n  {letter.group} gave up on {letter.original_topic} at {kept.at}")
    for failure in letter.history:
        console.print(f"  {failure.at}  {failure.error} (tried {failure.attempts} times)")
    for name, value in letter.headers.items():
        console.print(f"  {name}: {value}")
    console.print(base64.b64decode(letter.body_base64).decode(errors="replace"))


def _print_json(record: object) -> None:
    json.dump(record, sys.stdout, indent=2)
    sys.stdout.write("\n")
