"""A process that the language server takes for its engine; it records what it is asked."""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from engine import lockfile
from tests.lsp_server.conftest import ModelServer, _Handler

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "qwen2.5-coder-0.5b"
_READY = {"name": MODEL, "phase": "ready", "done": 0, "total": 0, "error": "", "error_code": ""}


class _Engine(_Handler):
    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        self._json({"pid": os.getpid(), "models": [_READY], "quiet_seconds": 0.0})

    def do_POST(self) -> None:  # noqa: N802
        if self.path.endswith("/load"):
            self._json(_READY)
        else:
            with suppress(ValueError):  # the server was told to stop before it had sent it all
                super().do_POST()

    def _json(self, body: object) -> None:
        self.send_response(200)
        self.end_headers()
        self._write(json.dumps(body).encode())


@contextmanager
def stub_engine() -> Iterator[ModelServer]:
    """Answer as the engine of this `CARET_HOME`, within this block."""
    with ModelServer() as server:
        server.RequestHandlerClass = _Engine
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = lockfile.Address(
            os.getpid(), server.server_address[1], "stub", lockfile.our_version(), lockfile.place()
        )
        lockfile.write_address(address)
        yield server
        lockfile.remove_address(address)
        server.shutdown()
