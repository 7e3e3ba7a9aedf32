"""The file's own indentation, and a suggestion put into it. Pure functions."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp_server.context import Site

_WHITE = re.compile(r"[ \t]*")
_WIDTHS = (2, 3, 4, 8)
_RARE = 10
"""A width is rare that is used a tenth as often as the most common one."""
_AROUND = 400
"""Lines before the caret, and after it, that show the style."""
_NEAR = 40
"""Lines before the caret that show which depths there are."""


@dataclass(frozen=True, slots=True)
class Style:
    """How one level is indented."""

    tabs: bool
    width: int
    """Spaces of a level; 0 where the file does not show it."""
    others: frozenset[int] = field(default=frozenset(), compare=False)
    """Other widths that are not rare in the file."""

    @property
    def unit(self) -> str:
        """White space of one level."""
        return "\t" if self.tabs else " " * self.width


def style_of(site: Site) -> Style | None:
    r"""What most lines around the caret are indented with; None where none is.

    >>> [style_of(Site(text, "")).unit for text in ("a:\n  b:\n    c\n", "a {\n\tb\n}")]
    ['  ', '\t']
    """
    lines = site.prefix.split("\n")[-_AROUND:] + site.suffix.split("\n")[:_AROUND]
    whites = [_white(line) for line in lines if line.strip()]
    tabs, spaces = (sum(white.startswith(char) for white in whites) for char in "\t ")
    if not tabs and not spaces:
        return None
    if tabs > spaces:
        return Style(True, 0)
    steps = Counter(
        len(under) - len(above)
        for above, under in pairwise(whites)
        if len(under) > len(above) and "\t" not in above + under
    )
    width = next((step for step, _ in steps.most_common() if step in _WIDTHS), 0)
    common = (step for step, count in steps.items() if count * _RARE > steps[width])
    return Style(False, width, frozenset(common))


def restyle(text: str, site: Site) -> str:
    r"""The lines of a suggestion after its first one, indented as the file is.

    Levels are counted from the caret's line, or from the one above where that is empty. Where the
    lines do not stand on levels, for they are aligned with something, all is left as it is.

    >>> tabbed = Site("if (a) {\n\tb();\n}\nif (c) {", "", "cpp")
    >>> restyle("\n    d();\n    if (e) {\n        f();\n    }\n}", tabbed)
    '\n\td();\n\tif (e) {\n\t\tf();\n\t}\n}'
    >>> restyle("        c()", Site("if a:\n    if b:\n", "", "python"))
    '        c()'
    >>> restyle("\n    b\n", Site("a:\n  b\nc:", "", "python"))
    '\n  b\n'
    """
    lines = text.split("\n")
    kept = 0 if not site.head else 1  # lines that the caret's own indentation governs
    style = style_of(site) if any(line.strip() for line in lines[kept:]) else None
    base = _white(site.head or _line_above(site))
    if style is None or (not site.head and _is_inside(site, base)):
        return text
    written = _written_style(lines[kept:], base, style)
    if written is None:
        return text
    moved = [_moved(line, base, written, style) for line in lines[kept:]]
    return "\n".join([*lines[:kept], *moved])


def at_other_depths(text: str, site: Site) -> list[str]:
    r"""A suggestion of one line as deep as lines around are, the nearest depth first.

    Only where the caret's line has no depth yet.

    >>> at_other_depths("        x()", Site("if a:\n    b()\n", "\nc()\n", "python"))
    ['    x()', 'x()']
    """
    line = text.strip("\n")
    if site.head or not line.strip() or "\n" in line:
        return []
    around = [*site.prefix.split("\n")[-_NEAR:], *site.below[:1]]
    depths = {_white(other) for other in around if other.strip()} - {_white(line)}
    nearest = sorted(depths, key=lambda white: (abs(len(white) - len(_white(line))), white))
    return [white + line.lstrip() for white in nearest]


def _written_style(lines: list[str], base: str, style: Style) -> Style | None:
    """How the suggestion is indented, where it is on levels and that is not the file's way."""
    whites = [_white(line) for line in lines if line.strip()]
    deeper = [white[len(base) :] for white in whites if white.startswith(base) and white != base]
    if not deeper:
        return None
    if all(set(white) == {"\t"} for white in deeper):
        return None if style.tabs or not style.width else Style(True, 0)
    if any("\t" in white for white in deeper):
        return None
    width = min(map(len, deeper))
    on_levels = all(len(white) % width == 0 for white in deeper)
    if width not in _WIDTHS or not on_levels or not (style.tabs or style.width):
        return None
    return None if width in (style.width, *style.others) else Style(False, width)


def _moved(line: str, base: str, written: Style, style: Style) -> str:
    white = _white(line)
    if not white.startswith(base):
        return line
    levels = (len(white) - len(base)) // len(written.unit)
    return base + style.unit * levels + line[len(white) :]


def _is_inside(site: Site, base: str) -> bool:
    """Whether the line below shows how deep the body is: the model has seen that."""
    below = _white(site.below[0]) if site.below else ""
    return below.startswith(base) and below != base


def _line_above(site: Site) -> str:
    lines = site.prefix.split("\n")[-_AROUND:]
    return next((line for line in reversed(lines) if line.strip()), "")


def _white(line: str) -> str:
    found = _WHITE.match(line)
    return found[0] if found else ""
