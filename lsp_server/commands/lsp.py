"""`caret lsp`: the language server, over stdin and stdout or a TCP port."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import click

from engine.errors import RequestError
from engine.paths import log_dir
from lsp_server.greeting import greet
from lsp_server.logs import rotated
from lsp_server.peer import accept


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
    stdin, stdout = _take_stdio() if port is None else accept(port)
    try:
        first, answered = greet(stdin, stdout)
    except OSError:  # nobody reads the answer
        first = None
    if first is None:
        sys.exit(1)
    # Imported after the answer: it takes half a second.
    from lsp_server.handlers import create_server
    from lsp_server.session import serve

    _log_to(log_file)
    server = create_server()
    server.protocol.answered = answered
    status = serve(server, first, stdin, stdout)
    logging.shutdown()
    os._exit(status)  # a thread may be blocked reading stdin, and would keep the interpreter alive


def _take_stdio() -> tuple[BinaryIO, BinaryIO]:
    """The protocol's streams; what else is written to stdout goes to stderr from now on."""
    try:
        stdin, stdout = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    except OSError as error:
        raise RequestError(f"Standard input or output is closed: {error.strerror}.") from None
    with suppress(OSError):  # there is no stderr
        os.dup2(2, 1)
    return stdin, stdout


def _log_to(file: Path | None) -> None:
    """Log to a file, or to stderr where that cannot be."""
    logging.raiseExceptions = False  # a full disk is no reason to write tracebacks
    try:
        name = rotated(file or log_dir() / "lsp.log")
        handler: logging.Handler = logging.FileHandler(
            name, encoding="utf-8", errors="backslashreplace"
        )
    except OSError:
        handler = logging.StreamHandler()
    logging.basicConfig(
        handlers=[handler],
        level=logging.INFO,
        format=f"%(asctime)s {os.getpid()} %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # below that it logs documents
    logging.getLogger("httpx").setLevel(logging.WARNING)
