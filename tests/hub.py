"""A real HTTP server that speaks as the Hugging Face Hub does, with one model."""

from __future__ import annotations

import hashlib
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOB = hashlib.shake_256(b"weights").digest(3_000_000)
REPO = "owner/name-GGUF"
MODEL = f"{REPO}:model.gguf"
_CHUNK = 1 << 16


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Hub:
    """A Hub with one repository; its storage is another host, as the real one's is."""

    files: dict[str, bytes] = field(default_factory=lambda: {"model.gguf": BLOB})
    storage: str = ""
    stated: dict[str, str] = field(default_factory=dict)
    """Headers of the answer to HEAD that replace the correct ones."""
    cut_at: list[int] = field(default_factory=list)
    """Byte at which each of the next downloads breaks off."""
    held_at: int = 0
    """Byte at which downloads wait until `released` is set."""
    released: threading.Event = field(default_factory=threading.Event)
    pause_s: float = 0.0
    """Pause after each 64 KiB of a download."""
    knows_ranges: bool = True
    moved_to: str = ""
    downloads: list[str] = field(default_factory=list)
    """Range of every GET of a file."""
    tokens: set[tuple[str, str | None]] = field(default_factory=set)
    """Pairs of a host ("hub" or "storage") and the Authorization header sent to it."""


class Handler(BaseHTTPRequestHandler):
    """Serves `hub`, an attribute of the class that `serving` makes."""

    hub: Hub

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        name = self.path.partition("/resolve/main/")[2]
        self.hub.tokens.add(("hub", self.headers.get("Authorization")))
        if self.hub.moved_to and self.hub.moved_to not in self.path:
            self.answer(307, {"Location": f"/{self.hub.moved_to}/resolve/main/{name}"})
        elif name not in self.hub.files:
            self.answer(404, {"X-Error-Message": "Entry not found"})
        else:
            data = self.hub.files[name]
            stated = {"X-Linked-Size": str(len(data)), "X-Linked-ETag": f'"{sha256(data)}"'}
            self.answer(302, {"Location": self.hub.storage + name} | stated | self.hub.stated)

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        if self.path.startswith("/storage/"):
            self.hub.tokens.add(("storage", self.headers.get("Authorization")))
            self.send_blob(self.hub.files[name])
        else:
            self.answer(302, {"Location": self.hub.storage + name})

    def answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for header, value in headers.items():
            self.send_header(header, value)
        self.end_headers()

    def send_blob(self, data: bytes) -> None:
        asked = self.headers.get("Range", "")
        self.hub.downloads.append(asked)
        start = int(asked[6:-1]) if asked and self.hub.knows_ranges else 0
        self.answer(206 if start else 200, {"Content-Length": str(len(data) - start)})
        if self.hub.cut_at:
            data = data[: self.hub.cut_at.pop(0)]
        if self.hub.held_at:
            self.wfile.write(data[start : self.hub.held_at])
            self.hub.released.wait(30)
            start = self.hub.held_at
        try:
            for at in range(start, len(data), _CHUNK):
                self.wfile.write(data[at : at + _CHUNK])
                time.sleep(self.hub.pause_s)
        except OSError:  # the client is gone
            self.close_connection = True


@contextmanager
def serving(hub: Hub) -> Iterator[None]:
    """Within this block, the environment has models fetched from `hub`."""
    handler = type("Bound", (Handler,), {"hub": hub})
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        port = server.server_address[1]
        hub.storage = f"http://localhost:{port}/storage/"
        patch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
        patch.setenv("HF_TOKEN", "hf_secret")
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        patch.delenv("HF_HUB_OFFLINE", raising=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            hub.released.set()
            server.shutdown()
            thread.join()
