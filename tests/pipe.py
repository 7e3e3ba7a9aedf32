"""The server's process at the end of a pipe, for bytes that no editor would send."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from tests.command import CARET

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

DEADLINE_S = 60.0


def initialize(**params: object) -> dict[str, Any]:
    """The request, with completion off."""
    params = {
        "processId": None,
        "rootUri": None,
        "capabilities": {},
        "initializationOptions": {"completion": {"enable": False}},
    } | params
    return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}


INITIALIZE = initialize()
STATUS = {
    "jsonrpc": "2.0",
    "id": 99,
    "method": "workspace/executeCommand",
    "params": {"command": "caret.status"},
}


def notification(method: str, params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def frame(content: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(content), content)


def read(stream: IO[bytes] | io.BufferedRWPair) -> dict[str, Any]:
    """The next message; fails if anything but messages is on the stream."""
    length = 0
    while (line := stream.readline()) != b"\r\n":
        name, _, value = line.partition(b": ")
        assert name in (b"Content-Length", b"Content-Type"), line
        length = int(value) if name == b"Content-Length" else length
    message: dict[str, Any] = json.loads(stream.read(length))
    return message


class Server:
    """`caret lsp` and a pipe."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin
        assert process.stdout
        self.process, self.stdin, self.stdout = process, process.stdin, process.stdout

    def send(self, *messages: object) -> None:
        for message in messages:
            self.write(frame(json.dumps(message).encode()))

    def write(self, data: bytes) -> None:
        self.stdin.write(data)
        self.stdin.flush()

    def answer(self, to: object) -> dict[str, Any]:
        while True:
            message = read(self.stdout)
            if "method" not in message and message.get("id") == to:
                return message

    def lives(self) -> bool:
        self.send(STATUS)
        return bool(self.answer(99)["result"]["state"] == "off")

    def wait(self) -> int:
        return self.process.wait(DEADLINE_S)


@contextmanager
def running(environment: dict[str, str], *arguments: str) -> Iterator[Server]:
    """A server that is gone afterwards."""
    pipe = subprocess.PIPE
    command = [CARET, "lsp", *arguments]
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment
    ) as process:
        yield Server(process)
        process.kill()


@contextmanager
def greeted(environment: dict[str, str]) -> Iterator[Server]:
    """A server in use, told to load no model."""
    with running(environment) as server:
        server.send(INITIALIZE)
        server.answer(1)
        server.send(notification("initialized", {}))
        yield server
