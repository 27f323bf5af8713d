"""Garbage waits for a pause, and is gone after it."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from dpplang.lsp import garbage


class Knot:
    def __init__(self) -> None:
        self.itself = self


@pytest.mark.parametrize("changes", [1, 3])
def test_garbage_waits_for_a_pause(changes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "PAUSE", 0.05)

    async def type_and_pause() -> tuple[bool, bool]:
        waiting = garbage.Garbage()
        knot = weakref.ref(Knot())
        for _ in range(changes):
            waiting.made()
            await asyncio.sleep(0)
        before = knot() is None
        await asyncio.sleep(0.2)
        waiting.forget()
        return before, knot() is None

    gc.collect()
    gc.disable()
    try:
        assert asyncio.run(type_and_pause()) == (False, True)
    finally:
        gc.enable()


def test_nothing_is_collected_once_the_server_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[int] = []
    monkeypatch.setattr(garbage, "PAUSE", 0.0)
    monkeypatch.setattr(gc, "collect", lambda generation=2: collected.append(generation))

    async def change_and_leave() -> None:
        waiting = garbage.Garbage()
        waiting.made()
        waiting.forget()
        await asyncio.sleep(0.01)

    asyncio.run(change_and_leave())
    assert collected == []
