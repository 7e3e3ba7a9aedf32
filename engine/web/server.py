"""The engine's HTTP server: its routes, and its life from the first connection to the last."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import uvicorn
from starlette.routing import Route, Router

from engine import lockfile
from engine.web.completions import Completions
from engine.web.connection import BACKLOG, Connection
from engine.web.control import Control
from engine.web.guard import Guard
from engine.web.metrics import Metrics

if TYPE_CHECKING:
    import socket
    from types import FrameType

    from engine.host import Host
    from engine.lockfile import Address
    from engine.scheduler import Scheduler

_log = logging.getLogger(__name__)

LOOK_S = 5.0
"""Between looks at the engine's own address."""


class EngineServer(uvicorn.Server):
    """Serves one host's models until it is told to leave or nobody wants it any more."""

    def __init__(
        self, host: Host, scheduler: Scheduler, address: Address, idle_seconds: float
    ) -> None:
        """Serve `host` at `address`; 0 idle seconds means to stay."""
        self._host, self._scheduler, self._address = host, scheduler, address
        self._idle_limit = idle_seconds
        self._told_to_leave = asyncio.Event()
        self._guard = Guard(self._router(), address.token)
        super().__init__(
            uvicorn.Config(
                self._guard,
                http=Connection,
                backlog=BACKLOG,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=60,  # longer than our clients keep an unused connection
                timeout_graceful_shutdown=5,
            )
        )

    def leave(self) -> None:
        """Stop serving; to be called on the event loop."""
        self._told_to_leave.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGINT or SIGTERM: `leave`."""
        super().handle_exit(sig, frame)
        asyncio.get_running_loop().call_soon_threadsafe(self.leave)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and tell clients where."""
        await super().startup(sockets)
        lockfile.write_address(self._address)
        _log.info("Engine %s listens at %s", self._address.version, self._address.url)

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn's own loop wakes up ten times a second to look for it."""
        idle = asyncio.create_task(self._leave_when_idle())
        lost = asyncio.create_task(self._leave_when_lost())
        await self._told_to_leave.wait()
        idle.cancel()
        lost.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Withdraw the address, answer what is open, stop computing."""
        lockfile.remove_address(self._address)
        self._guard.stop()
        await super().shutdown(sockets)
        await asyncio.to_thread(self._scheduler.close)
        _log.info("Engine stopped")

    async def _leave_when_idle(self) -> None:
        if self._idle_limit <= 0:
            return
        while (quiet := self._quiet_seconds()) < self._idle_limit:
            await asyncio.sleep(self._idle_limit - quiet)
        _log.info("Nobody asked for anything for %.3g minutes", self._idle_limit / 60)
        self.leave()

    async def _leave_when_lost(self) -> None:
        """Leave when no client can find this engine: its address, or the folder, was removed."""
        while not lockfile.is_withdrawn(self._address) or not self._quiet_seconds():
            await asyncio.sleep(LOOK_S)
        _log.warning("The address of this engine was removed")
        self.leave()

    def _quiet_seconds(self) -> float:
        """How long nobody has wanted anything; 0 while somebody does."""
        return 0.0 if self._host.busy() else self._guard.idle_seconds()

    def _router(self) -> Router:
        metrics = Metrics()
        text = Completions(self._host, self._scheduler, metrics)
        control = Control(
            self._host,
            self._scheduler,
            metrics,
            self._address,
            quiet_seconds=self._quiet_seconds,
            leave=self.leave,
        )
        return Router(
            [
                Route("/v1/completions", text.complete, methods=["POST"]),
                Route("/v1/chat/completions", text.chat, methods=["POST"]),
                Route("/v1/models", control.models),
                Route("/v1/models/load", control.load, methods=["POST"]),
                Route("/health", control.health),
                Route("/metrics", control.prometheus),
                Route("/shutdown", control.shut_down, methods=["POST"]),
            ]
        )
