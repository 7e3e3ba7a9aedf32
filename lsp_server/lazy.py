"""Command lines: groups that import the module of a command only when it runs, and how all end."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import click

from engine.errors import CaretError
from lsp_server import stdio

if TYPE_CHECKING:
    from collections.abc import Mapping

_SETTINGS = {"help_option_names": ["-h", "--help"]}


@dataclass(frozen=True, slots=True)
class Row:
    """A command of a group."""

    help: str
    """One line; the long help stands with the command."""
    module: str
    attribute: str = "command"


class LazyGroup(click.Group):
    """Commands from a table: importing every module to print one screen of help would be slow."""

    def __init__(self, rows: Mapping[str, Row], text: str, title: str = "Commands") -> None:
        """`text` is the group's help, and `title` stands above the list of commands in it."""
        super().__init__(help=text, context_settings=_SETTINGS)
        self._rows, self._title = rows, title

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the table's order."""
        return list(self._rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command that the table names, or None for an unknown name."""
        if (row := self._rows.get(cmd_name)) is None:
            return None
        command: click.Command = getattr(importlib.import_module(row.module), row.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line each, from the table."""
        with formatter.section(self._title):
            formatter.write_dl([(name, row.help) for name, row in self._rows.items()])


def run_command(command: click.Command, name: str) -> None:
    """Run a command line as the program `name`; exit codes: 0 done, 1 failed, 2 wrong usage."""
    stdio.prepare()
    try:
        command(prog_name=name)
    except CaretError as error:
        _fail(str(error))
    except OSError as error:  # such as a full disk behind standard output
        stdio.give_up_output()
        _fail(f"{error.filename or 'The output'} cannot be used: {error.strerror or error}.")


def _fail(message: str) -> NoReturn:
    click.echo(f"caret: {stdio.harmless(message)}", err=True)
    sys.exit(1)
