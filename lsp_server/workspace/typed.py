"""Of what type the object before the caret is, as far as the caret's file says. Pure functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsp_server.workspace.containers import CONTAINERS
from lsp_server.workspace.declared import IMPORT, LINK, PATH, Chain, chain_of, flat
from lsp_server.workspace.told import Told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsp_server.context import Site

ABOVE, BELOW = 2_000, 1_000
"""Lines that are looked at."""
_BEFORE, _AROUND = 300, 1_200
"""Characters of the expression before the caret, and of a call that the caret is in."""
_OBJECT = re.compile(rf"({PATH}){LINK}#?[\w$]*\Z")
_CALLED = re.compile(rf"({PATH})(?:<[^<>()]*+>)?\s?\Z")
_BODY = re.compile(r"(?:[-=]>|\||\bfunc(?:tion)?\b[^{\n]*+)\s*+\{")
"""Begins a function that is handed to what is called."""
_TAKEN = re.compile(r"\bfrom\s++(\.*+\w[\w.]*+)\s++import\b(?:[^()\n]*+|\s*+\([^()]*+)\Z")
_TAKES = re.compile(r"\b(?:import|export)\s++(?:type\s++)?(?:[\w$]++,\s*+)?\{[^{}]*+\Z")
_TAKEN_FROM = re.compile(r"""[^{}'"]*+\}\s*+from\s*+['"]([^'"\n]++)""")
"""What JavaScript has behind the names that are taken from it."""
_ASSIGNED = re.compile(r"(\s*+)[^=(]*+(?<![!<>])=(?![=>])\s*+")
_ITEM = re.compile(rf"[)\]?!]{LINK}#?[\w$]*\Z")
"""What is called, or taken out of a container."""
_LAMBDA = re.compile(
    rf"({PATH})\(\s*+(?:(?:async|move|static|fn)\s++)?[(|]?(?:&|mut |\$)*+(\w++)[)|]?\s?"
    r"(?:=>|->(?=\s)|(?<=\|))"
)
_OWN_BRACKETS = re.compile(r"\((\$?\w++)(?:, ?\$?\w++)*+\)(?= ?(?:=>|->\s))")
"""Of the parameters of a lambda, of which the first one counts."""
_EACH = frozenset(
    """
    map filter foreach any all find where select each first firstordefault last lastordefault
    single singleordefault count sum max min average orderby orderbydescending anymatch allmatch
    nonematch removeif flatmap filtermap findindex position retain some every sortbykey maxbykey
    minbykey takewhile skipwhile groupby todictionary inspect ifpresent exists then
    """.split()  # noqa: SIM905 - a list of 40 quoted words reads worse
)
"""What hands a lambda what a container holds, in lower case and without underscores."""


def objects(site: Site, top: Sequence[str]) -> tuple[tuple[Chain, ...], tuple[Chain, ...]]:
    r"""Ways to what stands before the caret, and to what is called; the likeliest first.

    In an import they lead to the module.

    >>> objects(Site("def f(shop: Shop):\n    pay(shop.", "", "python"), [])
    ((('Shop',), ('shop',)), (('pay',),))
    """
    # a type assertion of Go, `x.(Type)`, is no member
    front = flat(_OWN_BRACKETS.sub(r"\1", site.prefix[-_AROUND:].replace(".(", "(")))
    taken = _TAKEN_FROM.match(site.suffix) if _TAKES.search(front) else _TAKEN.search(front)
    if taken:
        return ((IMPORT, taken[1]),), ()
    before, called = _OBJECT.search(front[-_BEFORE:]), _call(front)
    if not (before or called):
        return (), ()
    *above, head = site.prefix.split("\n")
    tail, *below = site.suffix.split("\n")
    missing = max(ABOVE - len(above), 0)
    above = [*top[max(site.first_line - missing, 0) : site.first_line], *above[-ABOVE:]]
    # of `x = f(x.` only what is at hand before it is assigned
    assigned = _ASSIGNED.match(head)
    line = assigned[1] + head[assigned.end() :] + tail if assigned else head + tail
    told, at = Told([*above, line, *below[:BELOW]], site.language), len(above)
    path = _of_lambda(front, chain_of(before[1])) if before else ()
    ways = told.ways(path, at) if path else ()
    whole = before and path == chain_of(before[1]) and not _ITEM.search(site.prefix[-_BEFORE:])
    if whole and told.contains(path, at):
        ways = tuple(way for way in ways if way[0] in CONTAINERS)
    if before and site.language == "rust" and "::" not in before[0]:
        ways = tuple(way for way in ways if way != (before[1],))  # a value, no module
    return ways, told.ways(chain_of(called), at) if called else ()


def _of_lambda(front: str, path: Chain) -> Chain:
    """What a lambda is handed, where its parameter is meant; () where that is not known."""
    for found in reversed([*_LAMBDA.finditer(front)]):
        if found[2] == path[0].lstrip("$"):
            *held, by = chain_of(found[1])
            return (*held, *path[1:]) if held and by.replace("_", "").lower() in _EACH else ()
    return path


def _call(front: str) -> str:
    """What the last open bracket calls, or ""."""
    before, _, inside = front.rpartition("(")
    found = None if ")" in inside or _BODY.search(inside) else _CALLED.search(before[-_BEFORE:])
    return found[1] if found else ""
