"""Strings and comments, in most languages by one pattern. Pure functions."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp_server.context import Site

HASH_COMMENTS = frozenset(
    [
        "python",
        "shellscript",
        "ruby",
        "yaml",
        "perl",
        "toml",
        "makefile",
        "dockerfile",
        "r",
        "elixir",
        "julia",
        "cmake",
        "coffeescript",
        "crystal",
        "fish",
        "nim",
        "nix",
        "powershell",
        "raku",
        "terraform",
    ]
)
"""Languages where `#` begins a comment; in the others it is `//`."""

PROSE = frozenset(
    ["markdown", "plaintext", "restructuredtext", "git-commit", "git-rebase", "asciidoc", "org"]
)
"""Languages where a bracket may be half a smiley or a list's number: none of them is counted."""

_SCRIPTS = frozenset(["javascript", "javascriptreact", "typescript", "typescriptreact"])
"""Languages with regular expressions between slashes."""

_BACKTICKS = _SCRIPTS | {"go"}
"""Languages where a string in backticks may have several lines."""

_ESCAPE = r"\\(?:.|\Z)"

_CLASS = rf"\[(?:{_ESCAPE}|[^\]\\\n]){{0,200}}+(?:\]|\Z)"
_REGEX = (
    r"(?=[ \t/])(?:\A|(?<=[=(,:;!&|?{\[])|(?<==>)|(?<=\breturn))[ \t]*/(?![*/ ])"
    rf"(?:{_ESCAPE}|{_CLASS}|[^/\\\[\n]){{1,200}}+(?:/[a-z]*|\Z)"
)
"""Regular expression literal, where a division cannot stand. At the start of a text it may, but is
mostly followed by a space. The length is bounded, as the slash may also mean something else."""

_COMMENT_SIGNS = ("#", "//", "/*", "--")


def open_quote(site: Site) -> str:
    r"""What ends the string or comment of one line that the caret stands in, or "".

    >>> open_quote(Site("f('a", "")), open_quote(Site("f('a')  // It's (", ""))
    ("'", '\n')
    """
    has_lines = site.language in _BACKTICKS
    last = _open_token(site.prefix if has_lines else site.head, site.language)
    if last.startswith(("//", "#", "--")) and not last.startswith("--[["):
        return "\n"
    if site.language == "rust" and last.startswith("'"):
        return ""  # &'a is a lifetime
    quotes = ("'", '"', "`") if has_lines else ("'", '"')
    return last[0] if last.startswith(quotes) else ""


def begun_above(site: Site) -> bool:
    r"""Whether the caret's line begins in a string or comment that another line has begun.

    >>> begun_above(Site("/* a\nb", "")), begun_above(Site("/* a */\nb", ""))
    (True, False)
    """
    if site.language in HASH_COMMENTS:
        return False  # none of these tokens has several lines there
    above = site.prefix[: len(site.prefix) - len(site.head)]
    return has_more_lines(_open_token(above, site.language))


@lru_cache(maxsize=4)
def _open_token(text: str, language: str) -> str:
    """The string or comment that a text ends inside of, or ""; several rules ask at each caret."""
    found = tokens(language).findall(text)
    last = found[-1] if found else ""
    whole = len(last) > 1 and last[0] in "'\"`" and last.endswith(last[0])
    return last if text.endswith(last) and not whole else ""


def after_string(text: str, quote: str) -> str:
    r"""The same text with the rest of a string or comment blanked, so that offsets stay.

    >>> after_string('b", c)', '"'), after_string("b :)", '"'), after_string(":)\nb)", "\n")
    ('  , c)', '    ', '  \nb)')
    """
    if not quote:
        return text
    first = text if quote == "`" else text.partition("\n")[0]
    end = first.find(quote) + 1 or len(first)
    return " " * end + text[end:]


def without_comment(line: str, language: str) -> str:
    """A line of code without the comment behind it.

    >>> without_comment("f('#')  # Why.", "python"), without_comment("a // b", "python")
    ("f('#')", 'a // b')
    """
    for found in tokens(language).finditer(line):
        if found[0].startswith(_COMMENT_SIGNS):
            return line[: found.start()].rstrip()
    return line


def has_more_lines(token: str) -> bool:
    """Whether an unfinished token is of a kind that line ends do not end."""
    if token.startswith("`"):
        return len(token) == 1 or not token.endswith("`")
    if token.startswith("--[["):
        return not token.endswith("]]")
    return token.startswith("/*") and not token.endswith("*/")


@lru_cache
def tokens(language: str) -> re.Pattern[str]:
    """Strings, comments and brackets; strings and comments only to be skipped.

    An apostrophe inside of a word (don't) opens no string; a triple quote is read as an empty
    string and a quote, which is right often enough, and does not depend on where the window starts.
    A text that ends may end inside of any of them: what follows may yet come.
    """
    skipped = _comments(language) + (rf"|{_REGEX}" if language in _SCRIPTS else "")
    single = rf"'(?:{_ESCAPE}|[^'\\\n])(?:'|\Z)"
    if language != "rust":
        single = rf"(?:(?<!\w)|(?<=\b[bBfFrRuU]))'(?:{_ESCAPE}|[^'\\\n])*'?"
    back = "`[^`]*`?" if language in _BACKTICKS else r"`[^`\n]*`?"
    return re.compile(rf"{skipped}|\"(?:{_ESCAPE}|[^\"\\\n])*\"?|{single}|{back}|[()\[\]{{}}]")


def _comments(language: str) -> str:
    if language in HASH_COMMENTS:
        return r"(?<!\S)#[^\n]*"
    if language == "lua":
        return r"--\[\[[\s\S]*?(?:\]\]|\Z)|--[^\n]*"
    hashes = r"|(?<!\S)#[^\n]*" if language == "php" else ""
    return r"//[^\n]*|/\*[\s\S]*?(?:\*/|\Z)" + hashes
