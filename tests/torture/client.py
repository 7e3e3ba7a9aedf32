"""A client that says anything to the server, and keeps account of what comes back."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lsp_server.greeting import is_id
from tests.pipe import Server, frame, read

if TYPE_CHECKING:
    from random import Random

PATIENCE_S = 60.0
_INTERNAL = -32603


class Client:
    """Writes messages of any kind; reads on a thread, and answers the server's requests."""

    def __init__(self, server: Server, random: Random) -> None:
        self._server, self._random = server, random
        self.sent = 0
        self.asked: Counter[str] = Counter()
        """Ids of requests, as JSON, and how often."""
        self._refusable: Counter[str] = Counter()
        """Ids that may be refused: of requests, and of what is no message."""
        self.answered: Counter[str] = Counter()
        self.faults: list[str] = []
        """Answers that tell of a fault in the server, and texts that show a traceback."""
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def say(self, message: object) -> None:
        """Send any JSON value."""
        for each in message if isinstance(message, list) else [message]:
            if isinstance(each, dict) and is_id(each.get("id")):
                self._expect(each)
        self.write(frame(json.dumps(message).encode()))

    def _expect(self, message: dict[str, Any]) -> None:
        self._refusable[_key(message["id"])] += 1
        if isinstance(message.get("method"), str) and message["method"] != "exit":
            self.asked[_key(message["id"])] += 1

    def write(self, data: bytes) -> None:
        """Send bytes; a server that has ended is noticed later."""
        self.sent += 1
        with suppress(OSError), self._lock:
            self._server.write(data)

    def unanswered(self) -> list[str]:
        """Return what lacks an answer when the server has had time for it."""
        deadline = time.monotonic() + PATIENCE_S
        while self._lacking() and self._reader.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        return self._lacking()

    def surplus(self) -> list[str]:
        """Return what was answered more often than it was asked; null is for what is no message."""
        return sorted((self.answered - self._refusable).keys() - {"null"})

    def close(self) -> None:
        """Read to the end of a server that has ended."""
        self._reader.join(PATIENCE_S)

    def _lacking(self) -> list[str]:
        return sorted((self.asked - self.answered).keys())

    def _read(self) -> None:
        with suppress(AssertionError, ValueError, OSError):
            while True:
                self._take(read(self._server.stdout))

    def _take(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            self.answered[_key(message["id"])] += 1
        self._look_for_faults(message)
        if "method" in message and "id" in message:
            for answer in self._answers(message):
                with suppress(OSError), self._lock:
                    self._server.write(frame(json.dumps(answer).encode()))

    def _look_for_faults(self, message: dict[str, Any]) -> None:
        error = message.get("error") or {}
        shown = json.dumps([error, message.get("params") if "method" in message else None])
        if error.get("code") == _INTERNAL or "Traceback" in shown or 'File \\"' in shown:
            self.faults.append(f"{message.get('id')}: {shown[:300]}")

    def _answers(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what this client makes of a request: an answer, a wrong one, two, or none."""
        head = {"jsonrpc": "2.0", "id": request["id"]}
        error = {"code": -32601, "message": "no"}
        ways: list[list[dict[str, Any]]] = [
            [head | {"result": None}],
            [head | {"result": [None]}],
            [head | {"result": [{"completion": {"enable": False}}], "error": None}],
            [head | {"result": {"applied": "perhaps", "title": 7}}],
            [head | {"error": error}],
            [head | {"error": "in words"}],
            [head | {"result": None}, head | {"result": 5}],
            [head],
        ]
        return self._random.choice(ways)


def _key(msg_id: object) -> str:
    """Return an id as JSON; clients cannot tell 1 from 1.0."""
    whole = isinstance(msg_id, float) and msg_id.is_integer()
    return json.dumps(int(msg_id) if whole else msg_id)  # type: ignore[call-overload]
