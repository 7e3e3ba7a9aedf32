"""`caret bench NAME`: each benchmark is a module of this package, imported when used."""

from __future__ import annotations

import importlib
import os
import signal
import sys

import click

from engine.errors import CaretError

BENCHMARKS = {
    "keystrokes": "Type in real files: key to answer, through the real language server.",
    "prefill": "Tokens a second while a prompt is read, by its length.",
    "decode": "Milliseconds a token while text is written, by the length before it.",
    "load": "From nothing to the first token: first start and second start.",
    "answers": "Typing while an answer streams, a second question, and stopping one.",
    "memory": "Memory after loading and after a long context; with a second editor.",
    "7b": "A Code Llama 7B in shape, with random weights: size, memory and speed.",
    "peer": "Say which llama.cpp is compared with, or how to install it.",
}
"""Name to one-line help; the long help stands in the benchmark's module."""
_MODULES = {"7b": "seven_b"}


class LazyGroup(click.Group):
    """Imports a benchmark only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of `BENCHMARKS`."""
        return list(BENCHMARKS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command in the benchmark's module, or None for an unknown name."""
        if cmd_name not in BENCHMARKS:
            return None
        module = importlib.import_module(f"bench.{_MODULES.get(cmd_name, cmd_name)}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Help from the table: importing every benchmark to print one screen would be slow."""
        with formatter.section("Benchmarks"):
            formatter.write_dl(list(BENCHMARKS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
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
