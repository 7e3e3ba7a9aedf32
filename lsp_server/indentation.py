"""The file's own indentation, and a suggestion put into it. Pure functions."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from lsp_server.blocks import PARTS, floor_under, opening_bracket, opens_block
from lsp_server.brackets import indent, loose, open_brace
from lsp_server.docstrings import open_before
from lsp_server.lexing import PROSE, begun_above

if TYPE_CHECKING:
    from lsp_server.context import Site

_WHITE = re.compile(r"[ \t]*")
_WIDTHS = (4, 2, 8, 3)
"""Spaces of a level, the most likely ones first."""
_TABBED = ("go", "makefile")
"""Languages that are indented with tabs, also where no line shows it."""
_CONTINUED = ("\\", ",", "+", "-", "*", "=", "|", "&", "?", ".", "<", ">", "and", "or")
"""Ends of a line that the next one goes on with."""
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
    r"""What most lines around the caret are indented with, or the language; None without either.

    >>> [style_of(Site(text, "")).unit for text in ("a:\n  b:\n    c\n", "a {\n\tb\n}")]
    ['  ', '\t']
    """
    lines = site.prefix.split("\n")[-_AROUND:] + site.suffix.split("\n")[:_AROUND]
    whites = [_white(line) for line in lines if line.strip()]
    tabs, spaces = (sum(white.startswith(char) for white in whites) for char in "\t ")
    if tabs > spaces or (not spaces and site.language in _TABBED):
        return Style(True, 0)
    if not spaces:
        return None
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

    Levels are counted from the caret's line, or from the one above where that is empty; in tabs
    instead of spaces, or spaces instead of tabs, from the margin. Where the lines do not stand on
    levels, for they are aligned with something, all is left as it is.

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
    if style is None:
        return text
    base = _white(site.head or _line_above(site))
    if style.tabs:
        return "\n".join(lines[:kept] + _in_tabs(lines[kept:], base))
    moved = _in_spaces(lines[kept:], base, style)
    opener = site.head + lines[0] if site.head else _line_above(site)
    if site.head or not _is_inside(site, base):
        opens = opens_block(opener, site.language)
        moved = _in_width(moved, base, style, opens=opens)
    return "\n".join(lines[:kept] + moved)


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


def _in_tabs(lines: list[str], base: str) -> list[str]:
    """A tab for each level, where the lines have spaces and the caret's line has none."""
    whites = [_white(line) for line in lines if line.strip()]
    own_tabs = any(white.count("\t") > len(base) for white in whites)
    if own_tabs or base.strip("\t"):
        return lines
    width = next((width for width in _WIDTHS if _fits(whites, base, width)), 0)
    return [_with_white(line, "\t" * _levels(line, width)) for line in lines] if width else lines


def _fits(whites: list[str], base: str, width: int) -> bool:
    """Whether so many spaces make a level: the first line is one deeper than the base at most."""
    on_levels = all(white.count(" ") % width == 0 for white in whites)
    return on_levels and abs(_levels(whites[0], width) - len(base)) <= 1


def _levels(line: str, width: int) -> int:
    white = _white(line)
    return white.count("\t") + white.count(" ") // width


def _in_spaces(lines: list[str], base: str, style: Style) -> list[str]:
    """Spaces of one level for each tab, where the caret's line has none."""
    if "\t" in base or not style.width:
        return lines
    return [_with_white(line, _white(line).replace("\t", style.unit)) for line in lines]


def _in_width(lines: list[str], base: str, style: Style, *, opens: bool) -> list[str]:
    """As many spaces for a level as the file has.

    A block whose first line is too deep says that the model counts from the margin.
    """
    whites = [_white(line) for line in lines if line.strip()]
    if "\t" in "".join((base, *whites)) or not style.width:
        return lines
    width = _width_from_margin(whites, base, style) if opens else 0
    if width:
        base = ""
    else:
        width = _width_from(base, whites, style)
    return [_moved(line, base, width, style) for line in lines] if width else lines


def _width_from_margin(whites: list[str], base: str, style: Style) -> int:
    """Spaces of a level that are more than the file's, if they make the first line fit; or 0."""
    width, rest = divmod(len(whites[0]), len(base) // style.width + 1)
    if rest or width <= style.width or width % style.width or width in style.others:
        return 0
    on_levels = all(len(white) % width == 0 for white in whites)
    return width if on_levels and width in _WIDTHS else 0


def _width_from(base: str, whites: list[str], style: Style) -> int:
    """Spaces of a level behind the base, where lines are on levels unlike the file's; or 0."""
    deeper = [len(white) - len(base) for white in whites if len(white) > len(base)]
    width = min(deeper, default=0)
    if width not in _WIDTHS or width in (style.width, *style.others):
        return 0
    return 0 if any(size % width for size in deeper) else width


def _moved(line: str, base: str, width: int, style: Style) -> str:
    deeper = len(_white(line)) - len(base)
    return line if deeper < 0 else _with_white(line, base + style.unit * (deeper // width))


def _with_white(line: str, white: str) -> str:
    return white + line[len(_white(line)) :]


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


def undoubled(text: str, site: Site) -> str:
    r"""Return a beginning of a suggestion without depth that the caret's line has already.

    Some models begin a line anew at the margin. That shows where its depth and the caret's together
    are deeper than any line may be here.

    >>> undoubled("  def y", Site("  def x\n  end\n  ", "", "ruby"))
    'def y'
    >>> undoubled("    x", Site("if a:\n", "", "python"))
    '    x'
    >>> undoubled("\ta();", Site("class A {\n\tvoid f() {\n\t", "", "java"))
    '\ta();'
    """
    line, white = text.partition("\n")[0], _white(text)
    above = _line_above(site)
    if not (line.strip() and white and site.head) or site.head.strip() or _goes_on(above, site):
        return text
    depths, depth = _depths(site), indent(site.head + white + "x")
    opened = opens_block(above, site.language) and depth == _deepest(above, site)
    anew = white in depths and site.head + white not in depths and not opened
    if not anew and depth <= _deepest(above, site):
        return text
    return text[len(site.head) :] if white.startswith(site.head) else text[len(white) :]


def deepened(text: str, site: Site) -> str:
    r"""Return a suggestion with the depth that the caret's line lacks for its first line.

    The lines after it tell, or the one above that opens a block, or that no line is so deep.

    >>> deepened("def y\n    2\n  end", Site("class A\n  def x\n  end\n ", "\nend", "ruby"))
    ' def y\n    2\n  end'
    >>> deepened("cc a.c", Site("all:\n", "", "makefile"))
    '\tcc a.c'
    >>> deepened("    if a:", Site("for a in b:\n", "\n        c()\n", "python"))
    '    if a:'
    """
    line, _, rest = text.partition("\n")
    in_text = site.language in PROSE or begun_above(site) or open_before(site)
    if site.head.strip() or not line.strip() or in_text or line.startswith("#"):
        return text
    have = site.head + _white(line)
    want = _wanted_white(line.strip(), rest.split("\n"), have, site)
    return want[len(have) :] + text if want.startswith(have) else text


def _wanted_white(line: str, rest: list[str], have: str, site: Site) -> str:
    """Return the white space that the first line of a suggestion should begin with."""
    above, style = _line_above(site), style_of(site)
    last = next((each for each in reversed(rest) if each.strip()), "")
    if last and PARTS.match(last) and opens_block(line, site.language):
        return _white(last)
    if PARTS.match(line) or last or _goes_on(above, site):
        return have
    unit = (style and style.unit) or " " * _WIDTHS[0]
    if _opens(above, site) and indent(have + "x") <= indent(above):
        return _white(above) + unit
    opener = open_brace(site) if len(_white(above)) > len(have) else ""
    if opener and indent(have + "x") < floor_under(opener) <= indent(above):
        return _white(above)
    depths = _depths(site)
    if have in depths or have != site.head or not have:
        return have  # a depth that the model wrote is its own choice, also a new one
    return min((white for white in depths if white.startswith(have)), key=len, default=have)


def _depths(site: Site) -> set[str]:
    """Return the white space that lines near the caret begin with."""
    near = [*site.prefix.split("\n")[-_NEAR:-1], *site.below[:1]]
    return {_white(line) for line in near if line.strip()}


def _opens(above: str, site: Site) -> bool:
    """Return whether a line opens a block whose lines have to be deeper."""
    colon = opening_bracket(above) == ":"
    if colon and site.language not in ("python", "makefile"):
        return False
    return opens_block(above, site.language) and floor_under(above) > indent(above)


def _goes_on(above: str, site: Site) -> bool:
    """Return whether a line goes on in the next one, which may be aligned with anything."""
    if opens_block(above, site.language):
        return False
    return above.rstrip().endswith(_CONTINUED) or bool(loose(above, site.language)[1])


def _deepest(above: str, site: Site) -> int:
    """Return the columns at which the line below `above` may begin at most."""
    style = style_of(site)
    step = style.width if style and style.width else _WIDTHS[0]
    return indent(above) + step * opens_block(above, site.language)
