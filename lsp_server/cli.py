"""The `caret` command. Each subcommand is a module of `lsp_server.commands`, imported when used."""

from __future__ import annotations

import importlib
import sys

import click

from engine.errors import CaretError
from lsp_server import __version__

COMMANDS = {
    "lsp": "Run the language server (editors start this).",
    "complete": "Complete code at FILE:LINE:COL.",
    "explain": "Explain code.",
    "fix": "Correct code.",
    "test": "Write tests.",
    "doc": "Write the comment of a function or class.",
    "ask": "Answer a question about the project in this folder.",
    "debug": "Explain what made a program fail, from its output.",
    "models": "List the models that Caret knows and which are on disk.",
    "pull": "Download a model.",
    "engine": "Run the engine in the foreground.",
    "doctor": "Check this machine and say which model and format fit it.",
    "quantize": "Pack a model's weights ahead of time, or measure the formats.",
    "stats": "Tell what became of suggestions, from numbers kept on this machine.",
    "demo": "Complete a sample in seven languages through the real server.",
    "bench": "Measure Caret beside llama.cpp, on the same machine and weights.",
    "eval": "Measure how often Caret is right, by published and own evaluations.",
}
"""Name to one-line help; the long help stands in the command's module."""
_ANSWERED = ("explain", "fix", "test", "doc", "ask", "debug")
"""They share a module."""


class LazyGroup(click.Group):
    """Imports a command's module only when it runs, so `caret lsp` starts without the rest."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command `lsp_server.commands.NAME:command`, or None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name in _ANSWERED:
            module = importlib.import_module("lsp_server.commands.instruct")
            found: click.Command = module.COMMANDS[cmd_name]
            return found
        module = importlib.import_module(f"lsp_server.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Help from the table: importing every command to print one screen would be slow."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="caret")
def caret() -> None:
    """Code completion at the caret, by a model on your own machine."""


def main() -> None:
    """Run the command line; exit codes: 0 done, 1 failed, 2 wrong usage."""
    try:
        caret()
    except CaretError as error:
        click.echo(f"caret: {error}", err=True)
        sys.exit(1)
