"""A server that answers every request with the same bytes, however odd they are as HTTP."""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path


class Raw:
    """Address of a raw server, and the heads of the requests that it received."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.heads: list[str] = []
        self.url = f"http://127.0.0.1:{port}"


@asynccontextmanager
async def raw_server(
    *answer: bytes, tls: ssl.SSLContext | None = None, hold: bool = False, greets: bool = False
) -> AsyncIterator[Raw]:
    """Send the parts of `answer`, each in a packet of its own; then hang up, or `hold` on.

    With `greets` it does not wait for a request.
    """
    ending = asyncio.Event()
    raw = Raw(0)

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if not greets:
                raw.heads.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
            await _send(answer, writer)
            if hold:
                await ending.wait()
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0, ssl=tls) as server:
        raw.port = server.sockets[0].getsockname()[1]
        raw.url = f"http://127.0.0.1:{raw.port}"
        yield raw
        ending.set()


async def _send(parts: Iterable[bytes], writer: asyncio.StreamWriter) -> None:
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0)  # the event loop of both sides: the part is read on its own


def certificate(folder: Path, name: str, *options: str) -> tuple[Path, Path]:
    """Make a self-signed certificate for a host name; return it and its key."""
    made, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    command += ["-keyout", str(key), "-out", str(made), *options]
    subprocess.run(command, check=True, capture_output=True)
    return made, key
