"""A client's session: its messages go to the server until one of the two ends it."""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import signal
import stat
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from lsp_server.framing import read_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from lsp_server.incoming import Incoming
    from lsp_server.server import CaretServer

_PATIENCE_S = 5.0
"""The longest time that the end of a session takes."""
_AHEAD = 16
"""Messages that are read before they can be handled."""

_log = logging.getLogger(__name__)


def serve(server: CaretServer, first: bytes, stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Serve a client whose first message was read before; returns the exit status.

    The session ends with `exit`, the end of either stream, the client's process, or a signal.
    """
    asyncio.run(_serve(server, first, stdin, stdout))
    return 0 if server.asked_to_shut_down else 1


async def _serve(server: CaretServer, first: bytes, stdin: BinaryIO, stdout: BinaryIO) -> None:
    loop, over = asyncio.get_running_loop(), server.protocol.over
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    if stat.S_ISFIFO(os.fstat(stdout.fileno()).st_mode):
        loop.add_reader(stdout, over.set)  # nothing is read there: it tells that the client is gone
    writer = _Writer(stdout, lambda: loop.call_soon_threadsafe(over.set))
    server.protocol.set_writer(writer)
    inbox = _Inbox(first, stdin, server.protocol.parse)
    receiving = asyncio.create_task(_receive(inbox, server))
    await over.wait()
    _end_soon()
    receiving.cancel()
    await server.protocol.cancel_requests()
    await server.let_go()
    await asyncio.to_thread(writer.close)


async def _receive(inbox: _Inbox, server: CaretServer) -> None:
    while (message := await inbox.next()) is not None:
        server.protocol.receive(message)
        await server.protocol.edited()
        await server.configuration.told()
        # A request begins with the document as it is now, not as the next message makes it.
        await asyncio.sleep(0)
    server.protocol.over.set()


class _Inbox:
    """Reads and parses messages on a thread of its own, some ahead of those that are handled."""

    def __init__(self, first: bytes, stdin: BinaryIO, parse: Callable[[bytes], Incoming]) -> None:
        self._loop, self._parse = asyncio.get_running_loop(), parse
        self._messages: asyncio.Queue[Incoming | None] = asyncio.Queue()
        self._messages.put_nowait(parse(first))
        self._room = threading.Semaphore(_AHEAD)
        threading.Thread(target=self._read, args=(stdin,), daemon=True).start()

    async def next(self) -> Incoming | None:
        """Return the next message; None at the end."""
        message = await self._messages.get()
        self._room.release()
        return message

    def _read(self, stdin: BinaryIO) -> None:
        body: bytes | None = b""
        with suppress(RuntimeError):  # the event loop is gone
            while body is not None:
                try:
                    body = read_message(stdin)
                except OSError:  # a terminal that is closed
                    body = None
                message = None if body is None else self._parse(body)
                self._room.acquire()
                self._loop.call_soon_threadsafe(self._messages.put_nowait, message)


def _end_soon() -> None:
    """See to it that the process ends, whatever its threads still do."""
    timer = threading.Timer(_PATIENCE_S, os._exit, (1,))
    timer.daemon = True
    timer.start()


class _Writer:
    """Writes on a thread of its own: a client that does not read must not stop the server."""

    def __init__(self, stdout: BinaryIO, lost: Callable[[], object]) -> None:
        """Call `lost` on the thread when the client has closed its end."""
        self._stdout, self._lost = stdout, lost
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Have it written after all that came before."""
        self._waiting.put(data)

    def close(self) -> None:
        """Return when all is written."""
        self._waiting.put(None)
        self._thread.join()

    def _write(self) -> None:
        try:
            while (data := self._waiting.get()) is not None:
                self._stdout.write(data)
                self._stdout.flush()
        except OSError as error:
            _log.info("The client reads no more: %s", error)
            self._lost()
