"""From what the model wrote to what may be inserted: one pipeline of pure rules.

All but the first only take text away, mostly from its end, or make it fit: they close brackets that
it opens, and move a line to another depth. They go round until nothing changes, for what one takes
away may bare what another looks for.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from lsp_server import overlap
from lsp_server.blocks import opens_block
from lsp_server.brackets import PAIRS, first_surplus, is_closing, loose
from lsp_server.indentation import at_other_depths, deepened, restyle
from lsp_server.lexing import after_string, open_quote, without_comment
from lsp_server.logs import fault
from lsp_server.repetition import cut_circles
from lsp_server.secrets import first_secret

if TYPE_CHECKING:
    from lsp_server.context import Site
    from lsp_server.shape import Shape
    from lsp_server.syntax import Syntax

_log = logging.getLogger(__name__)

_PUNCTUATION = ",;:.)]}{"
_ROUNDS = 6
"""Most rounds of all rules; a text that they still change after that is not suggested."""
_BEFORE_SECRET = 1_000
"""Characters before the cursor in which a credential may begin."""
_CUTS = 12
"""Line ends at which a suggestion is cut to see whether that parses."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the rules know beside the text."""

    site: Site
    shape: Shape
    syntax: Syntax
    unfinished: bool = False
    """The text was cut off by its length."""


Rule = Callable[[str, Place], str]


def polish(text: str, place: Place) -> str:
    """The text to insert at the caret; "" when nothing worth showing is left.

    Args:
        text: what the model wrote, cut where it ends.
        place: where it is to be inserted.
    """
    if place.unfinished:
        text = drop_half_line(text)
    for _ in range(_ROUNDS):
        before = text
        for rule in RULES:
            text = _by(rule, text, place)
        if text in (before, ""):
            return text
    return ""


def _by(rule: Rule, text: str, place: Place) -> str:
    """Return a text after one rule; a rule that fails leaves nothing to suggest."""
    try:
        return rule(text, place)
    except Exception as error:
        _log.error("%s failed; nothing is suggested here: %s", rule.__name__, fault(error))
        return ""


def drop_half_line(text: str) -> str:
    r"""A block without its last line; a single line stays, for it is better than nothing.

    >>> drop_half_line("a\nb\nc ="), drop_half_line("c =")
    ('a\nb', 'c =')
    """
    kept, newline, _ = text.rpartition("\n")
    return kept if newline and kept.strip() else text


def drop_secrets(text: str, place: Place) -> str:
    """Cut before the line that has a credential in it."""
    head = place.site.head[-_BEFORE_SECRET:]
    found = first_secret(head + text, len(head))
    if found is None:
        return text
    return text[: max(text.rfind("\n", 0, max(found - len(head), 0)), 0)]


def drop_prompted_comment(text: str, place: Place) -> str:
    """Drop a comment behind the first line where the model was told something in one above it."""
    line, newline, more = text.partition("\n")
    if not place.site.hint or not line.strip():
        return text
    code = without_comment(after_string(line, open_quote(place.site)), place.site.language)
    return f"{line[: len(code)]}{newline}{more}" if code.strip() else text


def drop_circles(text: str, _: Place) -> str:
    """Cut where the text begins to repeat itself."""
    return cut_circles(text)


def cut_stray_closers(text: str, place: Place) -> str:
    """Cut before a closer that nothing before the caret waits for."""
    if place.syntax.is_whole(text):
        return text
    code = after_string(text, open_quote(place.site))
    return text[: first_surplus(loose(code, place.site.language)[0], place.shape.wanted)]


def cut_closed_string(text: str, place: Place) -> str:
    """Cut before a quote that ends the string around the cursor, which one behind it ends already.

    It is a parser's to say that in a language that has one.
    """
    quote, tail = open_quote(place.site), place.site.tail.lstrip()
    if place.syntax.is_known or quote in ("", "\n") or not tail.startswith(quote):
        return text
    if tail.startswith(3 * quote):
        return text.partition(3 * quote)[0]
    quotes = [each.start() for each in re.finditer(rf"\\.|{quote}", text) if each[0] == quote]
    return text[: quotes[-1]] if len(quotes) % 2 else text


def drop_tail_overlap(text: str, place: Place) -> str:
    """Drop an ending that the rest of the caret's line repeats, unless the line needs both."""
    kept, syntax = overlap.drop_tail_overlap(text, place.site), place.syntax
    if kept == text or not syntax.is_known or syntax.is_worse(text):
        return kept
    return text if syntax.errors(text) < syntax.errors(kept) else kept


def drop_lines_below(text: str, place: Place) -> str:
    """Drop last lines that stand below the caret already."""
    return overlap.drop_lines_below(text, place.site)


def drop_lines_above(text: str, place: Place) -> str:
    """Drop all where it is only what stands before the caret already."""
    return "" if overlap.repeats_above(text, place.site) else text


def keep_parse(text: str, place: Place) -> str:
    """Shorten to what fits best into the file, for a parser; drop it where that breaks the file.

    It is cut at line ends, before trailing punctuation and before what follows the caret; its
    brackets are closed, where the model took a closer behind the caret for its own; a line is moved
    to another depth, where it brings its own. A block that its length cut off, and the first line
    of one where only one line is wanted, may leave open what the user has begun.
    """
    syntax = place.syntax
    if not syntax.is_known or not syntax.errors(text):
        return text
    site = place.site
    others = [*_closed(text, site), *_cuts(text, site), *at_other_depths(text, site)]
    best = min([text, *others], key=syntax.errors)
    if not syntax.is_known:
        return text
    if not syntax.is_worse(best):
        return best
    if _opens_by_order(text, place):
        return text
    return text if place.unfinished and syntax.errors(text) <= syntax.now else ""


def _closed(text: str, site: Site) -> list[str]:
    """With closers for its own brackets, the innermost of which follows the caret already."""
    openers = loose(after_string(text, open_quote(site)), site.language)[1]
    closers = "".join(PAIRS[opener.char] for opener in reversed(openers))
    wanted = closers and site.tail.lstrip().startswith(closers[0])
    return [text.rstrip() + closers] if wanted else []


def _cuts(text: str, site: Site) -> list[str]:
    """Beginnings of the text that may fit better."""
    line = text.rstrip()
    found = [text[:-size] for size in overlap.tail_overlaps(text, site)[:_CUTS]]
    if is_closing(site.tail) and (closer := site.tail.strip()[:1]):
        found += [text[: at.start()] for at in islice(re.finditer(re.escape(closer), text), _CUTS)]
    found += [line[:-size] for size in (1, 2) if line[-size:].strip(_PUNCTUATION) == ""]
    lines = text.split("\n")
    sizes = range(len(lines) - 1, max(len(lines) - _CUTS, 0), -1)
    found += ["\n".join(lines[:size]) for size in sizes]
    return [cut for cut in found if cut.strip()]


def _opens_by_order(text: str, place: Place) -> bool:
    """Whether it opens a block that may not follow, for one line is wanted."""
    last = (place.site.head + text).rpartition("\n")[2]
    return not place.shape.grows and opens_block(last, place.site.language)


def trim_end(text: str, place: Place) -> str:
    """No white space at the end, as far as the rest of the caret's line lacks it.

    A closer on a line of its own wants to be as deep as the line of its opener.
    """
    tail, kept = place.site.tail, text.rstrip()
    if not tail.strip() or not kept:
        return kept
    if "\n" not in kept:
        return kept if tail[0].isspace() else text.rstrip("\n")
    breaks = "\n" in text[len(kept) :] and is_closing(tail)
    return f"{kept}\n{place.site.white}" if breaks else text


def own_indentation(text: str, place: Place) -> str:
    """Lines indented as the file is: tabs or spaces, as many, and the first one as deep."""
    return deepened(restyle(text, place.site), place.site)


RULES: tuple[Rule, ...] = (
    own_indentation,
    drop_secrets,
    drop_prompted_comment,
    drop_circles,
    cut_stray_closers,
    cut_closed_string,
    drop_tail_overlap,
    drop_lines_below,
    drop_lines_above,
    keep_parse,
    trim_end,
)
