"""A group of commands that imports the module of one only when it runs."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Row:
    """A command of a group."""

    help: str
    """One line; the long help stands with the command."""
    module: str
    attribute: str = "command"


class LazyGroup(click.Group):
    """Commands from a table."""

    def __init__(self, *, rows: Mapping[str, Row], title: str, **rest: object) -> None:
        """`title` stands above the list of commands."""
        super().__init__(**rest)  # type: ignore[arg-type]  # handed on from click's decorator
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
        """Help from the table: importing every module to print one screen would be slow."""
        with formatter.section(self._title):
            formatter.write_dl([(name, row.help) for name, row in self._rows.items()])
