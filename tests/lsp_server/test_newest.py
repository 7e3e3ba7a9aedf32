"""Newer work takes the place of older work for the same key, and of that alone."""

from __future__ import annotations

import asyncio

import pytest

from lsp_server.newest import NewestWins


async def test_the_newest_wins() -> None:
    newest, cleaned = NewestWins(), []

    async def work(number: int) -> int:
        try:
            await asyncio.sleep(0 if number == 9 else 60)
        finally:
            cleaned.append(number)
        return number

    answers = await asyncio.gather(*(newest.run("a", work(number)) for number in range(10)))
    assert answers == [None] * 9 + [9]
    assert 9 in cleaned


async def test_other_keys_go_on() -> None:
    newest = NewestWins()

    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    first, second = await asyncio.gather(newest.run("a", work()), newest.run("b", work()))
    assert (first, second) == ("done", "done")


async def test_cancelling_the_caller_cancels_the_work() -> None:
    newest, started, ended = NewestWins(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            started.set()
            await asyncio.sleep(60)
        finally:
            ended.set()

    caller = asyncio.create_task(newest.run("a", work()))
    await started.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()


async def test_errors_pass() -> None:
    async def work() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        await NewestWins().run("a", work())


async def test_cancel() -> None:
    newest = NewestWins()
    running = asyncio.create_task(newest.run("a", asyncio.sleep(60, "done")))
    await asyncio.sleep(0)
    newest.cancel("a")
    newest.cancel("b")
    assert await running is None


async def test_work_that_has_just_ended_is_superseded_too() -> None:
    newest = NewestWins()

    async def work() -> int:
        return 1

    running = asyncio.create_task(newest.run("a", work()))
    for _ in range(2):  # begun, then ended
        await asyncio.sleep(0)
    newest.cancel("a")
    assert await running is None
    assert await newest.run("a", work()) == 1
