"""Whose turn it is when more is to be done than there are slots."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from services.runtime.bus import Slots


async def served(slots: Slots, lanes: dict[int, int], count: int) -> list[int]:
    """The weights of the first deliveries that get the only slot while all lanes wait."""
    order: list[int] = []
    gate = asyncio.Event()

    async def holder() -> None:
        await gate.wait()

    async def lane(weight: int, deliveries: int) -> None:
        for _ in range(deliveries):

            async def delivery() -> None:
                order.append(weight)

            await slots.run(delivery, weight)

    await slots.run(holder)
    waiting = [asyncio.create_task(lane(weight, amount)) for weight, amount in lanes.items()]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*waiting)
    await slots.drain(10)
    return order[:count]


async def test_free_slots_go_by_weight() -> None:
    order = await served(Slots(1), {16: 100, 4: 100, 1: 100}, 42)
    assert Counter(order) == pytest.approx({16: 32, 4: 8, 1: 2}, abs=1)


async def test_no_lane_starves_and_none_saves_up_for_later() -> None:
    slots = Slots(1)
    assert Counter(await served(slots, {16: 50}, 50)) == {16: 50}
    assert 1 in (await served(slots_after(slots), {16: 60, 1: 60}, 20))


def slots_after(slots: Slots) -> Slots:
    slots._closed = False
    return slots


async def test_one_that_stops_waiting_takes_no_slot() -> None:
    slots, done = Slots(1), asyncio.Event()
    await slots.run(done.wait)  # type: ignore[arg-type]

    async def nothing() -> None:
        """Is done at once."""

    impatient = asyncio.create_task(slots.run(nothing))
    patient = asyncio.create_task(slots.run(nothing))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait([impatient])
    done.set()
    await asyncio.wait_for(patient, 10)
    await slots.drain(10)
