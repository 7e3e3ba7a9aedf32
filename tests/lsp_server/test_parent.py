"""The editor's process, as far as it can be seen."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from lsp_server.parent import is_visible, parent_ended

WAITS = [sys.executable, "-c", "input()"]


@pytest.mark.parametrize("pid", [2**40, 3_999_999, 2**70, 0, 1, -1, -(2**40), os.getpid()])
def test_a_number_that_means_nothing_here(pid: int) -> None:
    assert not is_visible(pid)


async def test_the_end_of_the_editor() -> None:
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE) as older:
        program = f"""
import asyncio
from lsp_server.parent import is_visible, parent_ended
assert is_visible({older.pid})
print("watches", flush=True)
asyncio.run(parent_ended({older.pid}))
"""
        watcher = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=subprocess.PIPE
        )
        assert watcher.stdout
        assert await watcher.stdout.readline() == b"watches\n"
        older.communicate(b"\n")
        assert await watcher.wait() == 0


async def test_a_younger_process_is_not_the_editor() -> None:
    await asyncio.sleep(0.05)  # the clock of processes counts hundredths of a second
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE) as younger:
        watching = asyncio.create_task(parent_ended(younger.pid))
        await asyncio.sleep(0)
        younger.communicate(b"\n")
        await asyncio.sleep(0.05)
        assert not watching.done()
        watching.cancel()


async def test_an_editor_that_is_gone_already() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert not is_visible(gone.pid)
    await parent_ended(gone.pid)
