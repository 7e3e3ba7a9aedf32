"""The one client of `caret lsp --tcp`: a process of the same user."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import BinaryIO

from engine.errors import RequestError

_ESTABLISHED = "01"
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


def accept(port: int) -> tuple[BinaryIO, BinaryIO]:
    """Wait on 127.0.0.1 for a client of this user; returns its two streams.

    Every user of this machine can connect; those of others are turned away, and after the first
    client nobody is let in.

    Raises:
        RequestError: the port cannot be used, or the system does not tell whose a client is.
    """
    if not Path(_TABLES[0]).exists():
        raise RequestError("--tcp needs Linux, which tells whose a client is. Use stdio.")
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise RequestError(f"Port {port} cannot be used: {error.strerror}.") from None
    with listener:
        while True:
            connection, (_, client_port) = listener.accept()
            with connection:
                if _owner(client_port, port) == os.getuid():
                    return connection.makefile("rb"), connection.makefile("wb")
            print("caret: turned away a client of another user", file=sys.stderr)  # noqa: T201


def _owner(client_port: int, port: int) -> int | None:
    """Return the user id of the client's end of a connection, or None if it is closed already."""
    ends = _end(client_port), _end(port)
    for table in _TABLES:
        # A client may use a socket of IPv6 for an address of IPv4.
        lines = Path(table).read_text().splitlines()[1:] if Path(table).exists() else []
        for _, own, other, state, _, _, _, uid, *_ in map(str.split, lines):
            if (own[-13:], other[-13:]) == ends and state == _ESTABLISHED:
                return int(uid)
    return None


def _end(port: int) -> str:
    """Return 127.0.0.1 and a port as the system's tables have them."""
    address = int.from_bytes(socket.inet_aton("127.0.0.1"), sys.byteorder)
    return f"{address:08X}:{port:04X}"
