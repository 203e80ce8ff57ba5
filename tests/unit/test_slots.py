"""Whose turn it is when more is to be done than there are slots."""

from __future__ import annotations

import asyncio
from collections import Counter

from services.runtime.bus import Slots


async def served(slots: Slots, lanes: dict[int, int], count: int) -> list[int]:
    """The weights of the first deliveries that get the only slot while all lanes wait."""
    order: list[int] = []
    gate = asyncio.Event()

    async def holder() -> None:
        await gate.wait()

    async def lane(weight: int, deliveries: int) -> None:
        async def delivery() -> None:
            order.append(weight)

        for _ in range(deliveries):
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
    assert Counter(order) == {16: 32, 4: 8, 1: 2}


async def test_one_lane_alone_gets_all() -> None:
    assert await served(Slots(1), {1: 5}, 5) == [1] * 5


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
