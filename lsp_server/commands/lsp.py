"""`caret lsp`: the language server, over stdin and stdout or a TCP port."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from engine.errors import RequestError
from engine.paths import log_dir
from lsp_server.greeting import greet

if TYPE_CHECKING:
    import io

_MAX_LOG = 1 << 20


@click.command("lsp")
@click.option("--tcp", "port", type=click.IntRange(1, 65535), help="Listen on 127.0.0.1:PORT.")
@click.option(
    "--log-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to log; by default lsp.log in Caret's log folder.",
)
def command(port: int | None, log_file: Path | None) -> None:
    """Run the language server (editors start this).

    It speaks LSP on stdin and stdout, or with the one client that connects to --tcp.
    """
    if port is not None:
        _log_to(log_file)
        _serve_tcp(port)
    else:
        _serve_stdio(log_file)


def _serve_stdio(log_file: Path | None) -> None:
    stdin, stdout = _take_stdio()
    greeting = greet(stdin, stdout)
    # Imported after the answer: it takes half a second.
    from lsp_server.handlers import create_server

    _log_to(log_file)
    server = create_server()
    server.protocol.answered = greeting.answered
    server.start_io(greeting.replay(stdin), stdout)
    sys.exit(0 if server.asked_to_shut_down else 1)


def _serve_tcp(port: int) -> None:
    from lsp_server.handlers import create_server

    try:
        create_server().start_tcp("127.0.0.1", port)
    except OSError as error:
        raise RequestError(f"Port {port} cannot be used: {error.strerror}.") from None


def _take_stdio() -> tuple[io.BufferedReader, BinaryIO]:
    """The protocol's streams; what else is written to stdout goes to stderr from now on."""
    stdin, stdout = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return stdin, stdout


def _log_to(file: Path | None) -> None:
    """Log to a file, or to stderr where that cannot be."""
    try:
        handler: logging.Handler = logging.FileHandler(_rotated(file or log_dir() / "lsp.log"))
    except OSError:
        handler = logging.StreamHandler()
    logging.basicConfig(
        handlers=[handler],
        level=logging.INFO,
        format=f"%(asctime)s {os.getpid()} %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("pygls").setLevel(logging.ERROR)  # below that it logs documents
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _rotated(file: Path) -> Path:
    """The file, moved aside if it has grown large; several servers write to it."""
    if file.exists() and file.stat().st_size > _MAX_LOG:
        file.replace(file.with_suffix(".old"))
    return file
