"""The server ends with its editor, even if that was killed and left the pipe to others."""

from __future__ import annotations

import asyncio
import logging
import os

import psutil

_POLL_S = 3.0

_log = logging.getLogger(__name__)


async def end_with_parent(pid: int) -> None:
    """End this process when that one has ended."""
    try:
        parent = psutil.Process(pid)
        while parent.is_running() and parent.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(_POLL_S)
    except psutil.NoSuchProcess:
        pass
    except psutil.AccessDenied:
        return  # it cannot be watched; the end of stdin will do
    _log.warning("The editor (process %d) is gone", pid)
    logging.shutdown()
    os._exit(1)  # a thread is blocked reading stdin, and would keep the interpreter alive
