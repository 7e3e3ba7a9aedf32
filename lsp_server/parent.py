"""The server ends with its editor, even if that was killed and left the pipe to others."""

from __future__ import annotations

import asyncio
import os

_POLL_S = 3.0


def is_visible(pid: int) -> bool:
    """Return whether this can be the editor's process; to be asked at the start.

    An editor on another machine, or outside of the server's container, sends a number that means
    nothing here. The end of stdin tells its end.
    """
    if pid <= 1 or pid == os.getpid() or os.getppid() == 0:  # ours was started from outside
        return False
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):  # also that of another user, who is not the editor's
        return False
    return True


async def parent_ended(pid: int) -> None:
    """Return when the editor's process, which was visible at the start, has ended."""
    import psutil  # not in the way of the first answer

    try:
        parent = psutil.Process(pid)
        if parent.create_time() > psutil.Process().create_time():
            await asyncio.Event().wait()  # another process, that an editor's number means here
        await _ended(pid)
    except psutil.NoSuchProcess:
        return
    except (AttributeError, OSError):  # no Linux, or a sandbox that does not let us
        while parent.is_running() and parent.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(_POLL_S)


async def _ended(pid: int) -> None:
    """Wait for the end of a process without looking for it again and again."""
    descriptor, ended = os.pidfd_open(pid), asyncio.Event()
    loop = asyncio.get_running_loop()
    try:
        loop.add_reader(descriptor, ended.set)
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
