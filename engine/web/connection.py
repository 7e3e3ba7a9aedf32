"""Connections to the engine, of which any user of this machine can make as many as they like."""

from __future__ import annotations

import logging
import resource
from typing import TYPE_CHECKING, Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.config import Config
    from uvicorn.server import ServerState

_quiet = logging.getLogger(__name__)
_quiet.setLevel(logging.ERROR)  # or a stranger could fill the log

HEAD_SECONDS = 10.0
"""Seconds for the head of a request, counted from the connection or its first byte."""
_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
"""Limit on open files and connections of this process; negative for no limit."""
MOST_STRANGERS = min(128, _FILES // 4) if _FILES > 0 else 128
"""Most connections that have shown no token; one more ends the oldest of them."""
BACKLOG = max(1, MOST_STRANGERS // 4)
"""Most connections that are accepted at once, before their number is checked."""


class Connection(H11Protocol):
    """Connection of one client, which is a stranger until it sends a request with the token."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, "trust": self._trust}, _loop)
        self.logger = _quiet
        self._stranger, self._since = True, self.loop.time()
        self._waiting: asyncio.TimerHandle | None = None

    # uvicorn narrows the argument in the same way
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the new connection; if it is one stranger too many, end the oldest one."""
        super().connection_made(transport)
        self._wait_for_head()
        others = cast("set[Connection]", self.connections)
        strangers = [
            other for other in others if other._stranger and not other.transport.is_closing()
        ]
        if len(strangers) > MOST_STRANGERS:
            min(strangers, key=lambda other: other._since).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read more of a request, and limit the time until its head is complete."""
        super().data_received(data)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting for a request."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _trust(self) -> None:
        self._stranger = False

    def _wait_for_head(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._waiting is None:
            self._waiting = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
