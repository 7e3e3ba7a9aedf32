"""From what the model wrote to what may be inserted. Each rule is pure and only takes text away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsp_server.brackets import CLOSERS, first_surplus, loose, strays

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsp_server.context import Site

_SHORT = 3
"""An overlap of words shorter than this is chance."""


def polish(text: str, site: Site, wanted: Sequence[str], *, unfinished: bool) -> str:
    """The text to insert at the caret; "" when nothing worth showing is left.

    Args:
        text: what the model wrote, cut where it ends.
        site: where it is to be inserted.
        wanted: closers that may stand in it without an opener (`brackets.wanted_closers`).
        unfinished: it was cut off by its length, so its last line may be half a line.
    """
    if unfinished:
        text = drop_half_line(text)
    text = cut_stray_closers(text, site, wanted)
    text = drop_tail_overlap(text, site)
    text = drop_lines_below(text, site)
    text = trim_end(text, site)
    return "" if is_noise(text, site) else text


def drop_half_line(text: str) -> str:
    r"""A block without its last line; a single line stays, for it is better than nothing.

    >>> drop_half_line("a\nb\nc ="), drop_half_line("c =")
    ('a\nb', 'c =')
    """
    kept, newline, _ = text.rpartition("\n")
    return kept if newline and kept.strip() else text


def cut_stray_closers(text: str, site: Site, wanted: Sequence[str]) -> str:
    """Cut before a closer that nothing before the caret waits for.

    >>> cut_stray_closers("a, b)", Site("f(", ")"), [])
    'a, b'
    >>> cut_stray_closers("a, b)", Site("f(", ""), [")"])
    'a, b)'
    """
    return text[: first_surplus(strays(text, site), wanted)]


def drop_tail_overlap(text: str, site: Site) -> str:
    """Drop an ending that the rest of the caret's line repeats.

    >>> drop_tail_overlap('hello")', Site('print("', '")'))
    'hello'
    >>> drop_tail_overlap("max", Site("f(", "x)"))
    'max'
    """
    tail = site.tail.rstrip()
    for size in range(min(len(tail), len(text)), 0, -1):
        if text.endswith(tail[:size]) and _is_repeat(text, tail, size, site.language):
            return text[:-size]
    return text


def _is_repeat(text: str, tail: str, size: int, language: str) -> bool:
    """Whether an overlap is more than chance, and dropping it leaves no bracket open."""
    kept, dropped = text[:-size], text[-size:]
    telling = size == len(tail) or len(dropped.strip()) >= _SHORT or not _has_word(dropped)
    splits_word = _has_word(dropped[0]) and _has_word(kept[-1:])
    if not telling or splits_word:
        return False
    if any(char in CLOSERS for char in dropped):
        return len(loose(kept, language)[1]) <= len(loose(text, language)[1])
    return True


def _has_word(text: str) -> bool:
    return any(char.isalnum() or char == "_" for char in text)


def drop_lines_below(text: str, site: Site) -> str:
    r"""Drop last lines that stand below the caret already, indentation included.

    >>> drop_lines_below("a()\n    return x", Site("    ", "\n    return x\n"))
    'a()'
    """
    if site.tail.strip():
        return text
    lines = (site.head + text).split("\n")
    written = [number for number, line in enumerate(lines) if line.strip()]
    below = [line.rstrip() for line in site.below]
    for count in range(min(len(written), len(below)), 0, -1):
        if [lines[number].rstrip() for number in written[-count:]] == below[:count]:
            kept = "\n".join(lines[: written[-count]])
            return kept[len(site.head) :]
    return text


def trim_end(text: str, site: Site) -> str:
    r"""No white space at the end, as far as the rest of the caret's line does not want it.

    >>> trim_end("x  \n\n", Site("", "")), trim_end("\n  x\n", Site("{", "}"))
    ('x', '\n  x\n')
    """
    if not site.tail.strip():
        return text.rstrip()
    return text if "\n" in text.rstrip() else text.rstrip("\n")


def is_noise(text: str, site: Site) -> bool:
    """Nothing but white space, or a line that stands right above or below."""
    if not text.strip():
        return True
    line = (site.head + text).rstrip()
    if "\n" in text or site.tail.strip():
        return False
    return line in (site.above.rstrip(), *(below.rstrip() for below in site.below[:1]))
