"""A server in this process and its client: messages are handled without a pipe."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from lsp_server.handlers import create_server

if TYPE_CHECKING:
    from concurrent.futures import Future


class Client:
    """Gives messages to a server, and keeps what it writes."""

    def __init__(self) -> None:
        self.server = create_server()
        self.protocol = self.server.protocol
        self.sent: list[dict[str, Any]] = []
        self.protocol.set_writer(self)  # type: ignore[arg-type]  # it closes nothing

    def write(self, data: bytes) -> None:
        self.sent.append(json.loads(data.partition(b"\r\n\r\n")[2]))

    def asks(self) -> Future[Any]:
        """Have the server ask the client something."""
        params = types.ShowMessageRequestParams(types.MessageType.Info, "?")
        return self.protocol.send_request(types.WINDOW_SHOW_MESSAGE_REQUEST, params)

    async def say(self, *messages: Any) -> list[dict[str, Any]]:
        """Return the answers to them."""
        before = len(self.sent)
        for message in messages:
            raw = message if isinstance(message, bytes) else json.dumps(message).encode()
            self.protocol.receive(self.protocol.parse(raw))
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
        return [sent for sent in self.sent[before:] if "method" not in sent]

    async def code(self, *messages: Any) -> list[tuple[Any, int | None]]:
        """Return the ids and the error codes of the answers."""
        answers = await self.say(*messages)
        return [(each["id"], each.get("error", {}).get("code")) for each in answers]


def request(method: str, params: object = None, asked: object = 5) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": asked, "method": method, "params": params}
