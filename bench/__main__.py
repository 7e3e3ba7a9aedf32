"""`caret bench NAME`: each benchmark is a module of this package, imported when used."""

from __future__ import annotations

import os
import signal
import sys

import click

from bench.lazy import LazyGroup, Row
from engine.errors import CaretError

BENCHMARKS = {
    "keystrokes": "Type in real files: key to answer, through the real language server.",
    "prefill": "Tokens a second while a prompt is read, by its length.",
    "decode": "Milliseconds a token while text is written, by the length before it.",
    "load": "From nothing to the first token: first start and second start.",
    "answers": "Typing while an answer streams, a second question, and stopping one.",
    "memory": "Memory after loading and after a long context; with a second editor.",
    "7b": "A Code Llama 7B in shape, with random weights: size, memory and speed.",
    "context": "Index a workspace, and what gathering from it makes a request wait.",
    "peer": "Say which llama.cpp is compared with, or how to install it.",
}
"""Name to one-line help; the long help stands in the benchmark's module."""
_MODULES = {"7b": "seven_b"}
_ROWS = {name: Row(text, f"bench.{_MODULES.get(name, name)}") for name, text in BENCHMARKS.items()}


@click.group(
    cls=LazyGroup,
    rows=_ROWS,
    title="Benchmarks",
    context_settings={"help_option_names": ["-h", "--help"]},
)
def bench() -> None:
    r"""Measure Caret beside llama.cpp: same machine, same weights, same run.

    \b
    Every benchmark prints both figures and their ratio (Caret / llama.cpp), with the machine,
    the versions and the command. --json keeps everything that was measured.

    Close what else computes: a busy machine is warned about, not corrected for.
    `caret bench peer` says how to get llama.cpp; --no-peer measures Caret alone.
    """


def main() -> None:
    """Run the command line; exit codes: 0 done, 1 failed, 2 wrong usage."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # A benchmark that is ended must end its servers too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        bench(prog_name="caret bench")
    except CaretError as error:
        click.echo(f"caret: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
