"""Neovim's end of a pipe: MessagePack-RPC, as `:help msgpack-rpc` has it."""

from __future__ import annotations

import os
import select
import subprocess
import time
from typing import TYPE_CHECKING, Any

import msgpack

if TYPE_CHECKING:
    from collections.abc import Callable

_RESPONSE, _NOTIFICATION = 1, 2


class Rpc:
    """A process that is called, and whose notifications go to `notified`.

    pynvim would do, but it leaves pipes open at its end, and a warning fails our tests.
    """

    def __init__(self, command: list[str], notified: Callable[[str, list[Any]], None]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self._unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, unicode_errors="replace")
        self._notified = notified
        self._calls = 0

    def call(self, method: str, *arguments: object, deadline_s: float = 15.0) -> Any:
        """A method's result; its error is an assertion that fails."""
        self._calls += 1
        self._input.write(msgpack.packb([0, self._calls, method, arguments]))
        while True:
            kind, *message = self._message(time.monotonic() + deadline_s, method)
            if kind == _NOTIFICATION:
                self._notified(*message)
            elif kind == _RESPONSE and message[0] == self._calls:
                _, error, result = message
                assert error is None, f"{method} {arguments}: {error}"
                return result

    def close(self) -> None:
        """End the process."""
        self._input.write(msgpack.packb([_NOTIFICATION, "nvim_command", ["qa!"]]))
        self._input.close()
        self._output.close()
        self._process.wait(60.0)

    def _message(self, deadline: float, method: str) -> list[Any]:
        while True:
            for message in self._unpacker:
                return list(message)
            left = max(deadline - time.monotonic(), 0.0)
            ready, _, _ = select.select([self._output], [], [], left)
            if not ready:
                raise TimeoutError(f"no answer to {method}")
            data = os.read(self._output.fileno(), 1 << 16)
            assert data, f"Neovim ended during {method}"
            self._unpacker.feed(data)
