"""How `caret bench` and `caret eval` run."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from lsp_server.lazy import run_command

if TYPE_CHECKING:
    import click


def run_program(group: click.Group, name: str) -> None:
    """Run the command line; exit codes: 0 done, 1 failed, 2 wrong usage."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # What is ended must end its servers too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    run_command(group, name)
