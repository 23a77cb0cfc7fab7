"""Whose turn it is."""

from __future__ import annotations

import asyncio

import pytest

from hub.registry.turn import Turn


async def test_the_urgent_go_first_and_each_kind_in_its_order() -> None:
    """Never two at once."""
    turn, order, inside = Turn(), [], 0

    async def take(name: str, *, urgent: bool) -> None:
        nonlocal inside
        async with turn.taken(urgent=urgent):
            inside += 1
            assert inside == 1
            order.append(name)
            await asyncio.sleep(0)
            inside -= 1

    asked = [("a", False), ("b", False), ("c", True), ("d", False), ("e", True)]
    await asyncio.gather(*(take(name, urgent=urgent) for name, urgent in asked))

    assert order == ["a", "c", "e", "b", "d"]


async def test_who_leaves_does_not_take_the_turn_along() -> None:
    """Cancelled while waiting, and cancelled in the moment in which it came; whoever fails too."""
    turn, done = Turn(), []

    async def take(name: str) -> None:
        async with turn.taken(urgent=False):
            done.append(name)

    async with turn.taken(urgent=False):
        waiting, chosen, last = (asyncio.create_task(take(name)) for name in "xyz")
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
    chosen.cancel()
    await asyncio.gather(waiting, chosen, last, return_exceptions=True)
    with pytest.raises(ValueError, match="mine"):
        async with turn.taken(urgent=True):
            raise ValueError("mine")
    await take("end")

    assert done == ["z", "end"]
