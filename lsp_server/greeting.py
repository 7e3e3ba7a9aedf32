"""The answer to `initialize`, given before pygls and lsprotocol are imported.

That import takes half a second, which an editor would spend waiting. The answer hardly depends on
the question, so it is written down here; tests compare it with what pygls itself would answer.
The message is then handed on to the server, which takes it as if it had answered it.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any, BinaryIO

from lsp_server import __version__
from lsp_server.instruct.commands import IDS

ENCODINGS = ("utf-8", "utf-16", "utf-32")
COMMANDS = ("caret.accepted", "caret.status", "caret.restartEngine", *IDS)
"""What `workspace/executeCommand` understands."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What was read from the client so far."""

    seen: bytes
    """Whole messages, byte for byte."""
    answered: int | str | None = None
    """Id of the request among them that has its answer; None if there is none."""

    def replay(self, rest: io.BufferedReader) -> BinaryIO:
        """A stream that gives what was seen again, then the rest."""
        return io.BufferedReader(_Replay(io.BytesIO(self.seen), rest))


def greet(stdin: io.BufferedReader, stdout: BinaryIO) -> Greeting:
    """Read the first message and answer it if it is a proper `initialize`."""
    seen = _read_message(stdin)
    message = _parse(seen)
    if message is None:
        return Greeting(seen)
    answer = {"id": message["id"], "jsonrpc": "2.0", "result": _result(message["params"])}
    data = json.dumps(answer).encode()
    stdout.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
    stdout.flush()
    return Greeting(seen, message["id"])


def position_encoding(capabilities: dict[str, Any]) -> str:
    """The first encoding that the client offers and Caret knows; UTF-16 if it offers none."""
    offered = (capabilities.get("general") or {}).get("positionEncodings") or []
    return next((name for name in offered if name in ENCODINGS), "utf-16")


def _read_message(stdin: BinaryIO) -> bytes:
    """Header and body as they came; less at the end of the stream."""
    header, length = b"", 0
    while line := stdin.readline():
        header += line
        name, _, value = line.partition(b":")
        if name == b"Content-Length" and value.strip().isdigit():
            length = int(value)
        if not line.strip() and length:
            break
    return header + stdin.read(length)


def _parse(seen: bytes) -> dict[str, Any] | None:
    """The message if it is an `initialize` request with capabilities, as all editors send it."""
    try:
        message = json.loads(seen.partition(b"\r\n\r\n")[2])
        proper = message["method"] == "initialize" and isinstance(message["id"], int | str)
        position_encoding(message["params"]["capabilities"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return message if proper else None


def _result(params: dict[str, Any]) -> dict[str, Any]:
    knows_notebooks = params["capabilities"].get("notebookDocument") is not None
    notebooks = {"notebookDocumentSync": {"notebookSelector": [{"notebook": "*"}]}}
    return {
        "capabilities": (notebooks if knows_notebooks else {})
        | {
            "positionEncoding": position_encoding(params["capabilities"]),
            "textDocumentSync": {
                "openClose": True,
                "change": 2,
                "save": False,
            },
            "completionProvider": {},
            "documentHighlightProvider": True,
            "codeActionProvider": {
                "codeActionKinds": ["quickfix", "refactor.rewrite"],
                "resolveProvider": True,
            },
            "executeCommandProvider": {"commands": list(COMMANDS)},
            "inlineCompletionProvider": {},
            "workspace": {
                "workspaceFolders": {"supported": True, "changeNotifications": True},
                "fileOperations": {},
            },
        },
        "serverInfo": {"name": "caret", "version": __version__},
    }


class _Replay(io.RawIOBase):
    """Reads one stream to its end, then another."""

    def __init__(self, first: BinaryIO, then: io.BufferedReader) -> None:
        self._first, self._then = first, then

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        """As much as there is, at most the buffer's size."""
        size = len(buffer)
        data = self._first.read(size) or self._then.read1(size)
        buffer[: len(data)] = data
        return len(data)
