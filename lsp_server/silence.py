"""Where nobody is asked for a completion, unless by hand: a table of rules. Pure functions.

Each rule has its examples, a `|` for the caret; docs/completion.md shows them and the tests hold
them to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsp_server.brackets import loose
from lsp_server.lexing import HASH_COMMENTS, open_quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from lsp_server.context import Site

LONG_STRING = 60
"""Characters of a string on the caret's line, before the caret."""
LONG_WORD = 48
"""Characters without white space or punctuation: data, not code."""
LONG_LINE = 500
"""Characters of the caret's line."""
_INSIDE = re.compile(r"[\w$]")
_DATA = re.compile(rf"[A-Za-z0-9+/=_-]{{{LONG_WORD}}}\Z")
_NUMBER = re.compile(r"[0-9a-f_]+|[0-9A-F_]+")
_FEW = 4
"""Signs between words of a name: base64 for URLs has one such sign in 32."""
_CLOSED = {
    "go": re.compile(r"\s*\}\Z"),
    "python": re.compile(r"\s*(?:pass|break|continue)\Z"),
    "shellscript": re.compile(r"\s*(?:fi|done|esac|;;)\Z"),
    "lua": re.compile(r"\s*(?:end|break)\Z"),
    "ruby": re.compile(r"\s*(?:end|break|next)\Z"),
}
_NO_SEMICOLONS = HASH_COMMENTS | frozenset(["lua", "plaintext", "markdown", ""])
"""Where a `;` at the end of a line is no habit, or means something else."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of place at which nothing is asked."""

    why: str
    quiet: tuple[tuple[str, str], ...]
    """Language and text, with `|` for the caret."""
    asked: tuple[tuple[str, str], ...]
    """Where the rule looks similar, but does not hold."""
    holds: Callable[[Site], bool]


def silence(site: Site) -> str:
    """Why nothing is asked at this caret; "" where it is.

    >>> from lsp_server.context import Site
    >>> silence(Site("x = pri", "nt(y)", "python")), silence(Site("x = pri", "", "python"))
    ('inside of a word', '')
    """
    return next((rule.why for rule in RULES if rule.holds(site)), "")


def _in_word(site: Site) -> bool:
    before, after = site.head[-1:], site.tail[:1]
    return bool(_INSIDE.match(before) and _INSIDE.match(after))


def _after_statement(site: Site) -> bool:
    """Nothing but the next line can follow, and that has its own turn."""
    if site.tail.strip():
        return False
    words = _CLOSED.get(site.language)
    if words:
        return words.match(site.head) is not None
    if site.language in _NO_SEMICOLONS or not _ends_statement(site.head):
        return False
    return not open_quote(site) and not loose(site.head, site.language)[1]


def _ends_statement(head: str) -> bool:
    """Return whether a line ends in a closing brace, or in a semicolon behind something else."""
    return head.endswith("}") or (head.endswith(";") and bool(head.replace(";", " ").strip()))


def _in_long_string(site: Site) -> bool:
    quote = open_quote(site)
    return quote in ("'", '"') and len(site.head) - site.head.rfind(quote) > LONG_STRING


def _in_data(site: Site) -> bool:
    """A number, a row of one sign, or letters of both cases and digits: names are not so mixed."""
    found = _DATA.search(site.head)
    if found is None:
        return False
    text = found[0]
    if _NUMBER.fullmatch(text) or len(set(text)) == 1:
        return True
    mixed = all(re.search(kind, text) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return mixed and text.count("_") + text.count("-") < _FEW


def _in_long_line(site: Site) -> bool:
    return len(site.head) + len(site.tail) > LONG_LINE


RULES = (
    Rule(
        "in a very long line",
        (("javascript", "var a=1;" * 70 + "var b = |"),),
        (("javascript", "var a = 1, b = |"),),
        _in_long_line,
    ),
    Rule(
        "inside of a word",
        (("python", "x = pri|nt(y)"), ("cpp", "int co|unt = 0;")),
        (("python", "x = pri|"), ("python", "print(x|)")),
        _in_word,
    ),
    Rule(
        "after a closed statement",
        (
            ("java", "return x;|"),
            ("rust", "let x = 1;|"),
            ("typescript", "}|"),
            ("go", "  }|"),
            ("python", "    pass|"),
            ("lua", "  end|"),
        ),
        (
            ("java", "for (int i = 0;|"),
            ("go", "for i := 0;|"),
            ("cpp", "// return x;|"),
            ("typescript", "} |"),
            ("python", "x = 1|"),
            ("java", "return x;\n|"),
        ),
        _after_statement,
    ),
    Rule(
        "inside of a long string",
        (
            (
                "python",
                'raise ValueError("no file of this name was found in any of the folders that are|',
            ),
        ),
        (("python", 'raise ValueError("no file|'), ("python", 'x = f("no file", |')),
        _in_long_string,
    ),
    Rule(
        "inside of data",
        (("python", 'DATA = b"iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAYAAAAf8/9hAAAAGXRFWHRT|'),),
        (
            ("python", "very_long_names = but_no_data|"),
            ("python", "def test_it_raises_a_ValueError_if_2_of_the_3_files_are_gone|"),
            ("shellscript", "cat /usr/local/share/applications/documentation/readme/index|"),
        ),
        _in_data,
    ),
)
