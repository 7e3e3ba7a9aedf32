"""What Neovim draws: its screen after every frame, from the events that it sends to a UI."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

Cell = tuple[str, int]
"""A character, and the number of its highlight; "" behind one of double width."""

Run = tuple[str, Style]
"""Text of one style."""


def _ignore(*_: object) -> None:
    """What else Neovim tells a UI."""


@dataclass
class Grid:
    """A screen, kept by events of `ext_linegrid` (see `:help ui-linegrid`)."""

    cells: list[list[Cell]] = field(default_factory=list)
    frames: list[list[str]] = field(default_factory=list)
    """The text of every frame since this list was last emptied."""
    cursor: tuple[int, int] = (0, 0)
    drawn: Callable[[], None] = _ignore
    """Called after every frame."""
    _styles: dict[int, dict[str, Any]] = field(default_factory=dict)
    _colours: tuple[int, int] = (0xFFFFFF, 0)

    def redraw(self, batches: list[list[Any]]) -> None:
        """Take one notification: each batch is an event's name and its calls."""
        for name, *calls in batches:
            handle: Callable[..., None] = getattr(self, f"_{name}", _ignore)
            for call in calls:
                handle(*call)

    @property
    def lines(self) -> list[str]:
        """The text now, without white space at line ends."""
        return ["".join(text for text, _ in row).rstrip() for row in self.cells]

    def svg(self, title: str) -> str:
        """A picture of it, with the caret."""
        width = len(self.cells[0])
        console = Console(record=True, file=io.StringIO(), width=width, force_terminal=True)
        for row in self.rows():
            console.print(Text.assemble(*row, no_wrap=True, end=""))
        return console.export_svg(title=title, clear=False)

    @property
    def background(self) -> str:
        """Where nothing else is told."""
        return f"#{self._colours[1]:06x}"

    def rows(self) -> list[list[Run]]:
        """Each line's text in runs of one style, the caret among them."""
        return [self._runs(number) for number in range(len(self.cells))]

    def _runs(self, number: int) -> list[Run]:
        row = self.cells[number]
        cells = [(text, hl, (number, at) == self.cursor) for at, (text, hl) in enumerate(row)]
        return [
            ("".join(text for text, *_ in run), self._style(highlight, caret))
            for (highlight, caret), run in groupby(cells, key=lambda cell: cell[1:])
        ]

    def _style(self, highlight: int, caret: bool) -> Style:
        known = self._styles.get(highlight, {})
        front = known.get("foreground", self._colours[0])
        back = known.get("background", self._colours[1])
        if known.get("reverse", False) != caret:
            front, back = back, front
        return Style(
            color=f"#{front:06x}",
            bgcolor=f"#{back:06x}",
            bold=known.get("bold"),
            italic=known.get("italic"),
        )

    def _grid_resize(self, _: int, width: int, height: int) -> None:
        self.cells = [[(" ", 0)] * width for _ in range(height)]

    def _grid_clear(self, _: int) -> None:
        self.cells = [[(" ", 0)] * len(row) for row in self.cells]

    def _grid_line(self, _: int, row: int, column: int, cells: list[Any], *_more: object) -> None:
        highlight = 0
        for cell in cells:
            highlight = cell[1] if len(cell) > 1 else highlight
            for _repeat in range(cell[2] if len(cell) > 2 else 1):
                self.cells[row][column] = (cell[0], highlight)
                column += 1

    def _grid_scroll(
        self, _: int, top: int, bottom: int, left: int, right: int, rows: int, *_more: object
    ) -> None:
        inside = range(top, bottom - rows) if rows > 0 else range(bottom - 1, top - rows - 1, -1)
        for row in inside:
            self.cells[row][left:right] = self.cells[row + rows][left:right]

    def _grid_cursor_goto(self, _: int, row: int, column: int) -> None:
        self.cursor = (row, column)

    def _hl_attr_define(self, number: int, colours: dict[str, Any], *_more: object) -> None:
        self._styles[number] = colours

    def _default_colors_set(self, front: int, back: int, *_more: object) -> None:
        self._colours = (front, back)

    def _flush(self) -> None:
        self.frames.append(self.lines)
        self.drawn()
