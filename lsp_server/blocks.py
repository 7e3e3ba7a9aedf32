"""How blocks begin and end, language by language."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp_server.brackets import CASE_PATTERN, indent, loose

_OPENER = re.compile(r"[:{(\[]\s*(?:(?:\s#|//)[^\"']*)?$")
_LABELLED = re.compile(
    r"\s*(?:[\w<>]+\s+)*(?:switch|select|class|struct|namespace|extern)\b[^;]*\{"
)
"""What braces hold at their own depth: `case`, `public:` and all of a namespace often are not
indented."""
_MEMBERS = re.compile(r"\s*(?:[\w@]+\s+)*(?:class|interface|trait|impl|namespace|module)\b")
_BRANCH = re.compile(rf"^\s*\(?{CASE_PATTERN}\)\s*$")
_CASE = re.compile(r"\s*case\b.*\bin\s*$")
PARTS = re.compile(
    r"\s*(?:[)\]}]|(?:end|fi|done|esac|until|elif|elseif|elsif|else|except|finally|rescue|ensure)\b)"
)
"""Ends a block, or begins another part of it."""
_LONGEST = 500
"""Characters at either end of a line that are looked at: the patterns try a line at many places."""
_NEEDS = {
    "try": ("except", "catch", "finally"),
    "do": ("while",),
}
"""A block that is not whole without another one behind it."""


@dataclass(frozen=True, slots=True)
class Words:
    """Blocks that a word closes."""

    opener: re.Pattern[str]
    ends: tuple[str, ...]
    parts: tuple[str, ...]
    """What begins another part of the same block."""


_THEN = r"\b(?:then|do|else)\s*(?:#.*)?$"
CASE_END = ";;"
"""Ends a branch of Bash's `case`."""
WORDS = {
    "shellscript": Words(
        re.compile(rf"{_THEN}|{_CASE.pattern}|{_BRANCH.pattern}"),
        ("fi", "done", "esac"),
        ("else", "elif"),
    ),
    "lua": Words(
        re.compile(r"\b(?:then|do|else|repeat)\s*(?:--.*)?$|\bfunction\b[^()]*\([^()]*\)\s*$"),
        ("end", "until"),
        ("else", "elseif"),
    ),
    "ruby": Words(
        re.compile(
            r"^\s*(?:class|module|if|unless|while|until|case|begin|for|else|elsif|when|rescue|ensure)"
            r"\b(?!.*\bend\b)|^\s*def\b(?!.*(?:\bend\b|\)?\s=\s))"
            r"|\b(?:then|do)\s*(?:\|[^|]*\|)?\s*$"
        ),
        ("end",),
        ("else", "elsif", "when", "in", "rescue", "ensure"),
    ),
}
"""By language id; in the others, brackets or indentation close blocks."""
_UNKNOWN = Words(re.compile(_THEN), ("end", "fi", "done", "esac"), ("else", "elif"))


def words(language: str) -> Words | None:
    """The words of a language; some guess where the editor does not say which it is."""
    return WORDS.get(language) if language else _UNKNOWN


def opens_block(line: str, language: str) -> bool:
    """Whether the next line is expected to be indented deeper.

    >>> [opens_block(text, "python") for text in ("if x:", "def f(a:", "f(", "x = 1")]
    [True, False, True, False]
    >>> [opens_block(text, "ruby") for text in ("def f(a)", "a.each do |b|", "x if y")]
    [True, True, False]
    >>> opens_block("local function f(a, b)", "lua")
    True
    >>> [opens_block(text, "shellscript") for text in ("case $1 in", "-h | --help)", "f $(g)")]
    [True, True, False]
    """
    line = line[-_LONGEST:]
    found = _OPENER.search(line)
    if found is None:
        return opened_by_word(line, language)
    return not (found[0][0] == ":" and loose(line, language)[1])


def opened_by_word(line: str, language: str) -> bool:
    """Whether it opens a block that a word closes."""
    known = words(language)
    return known is not None and known.opener.search(line[-_LONGEST:]) is not None


def opening_bracket(line: str) -> str:
    """The bracket or colon at the end of a line, or "".

    >>> opening_bracket("if x:  # why"), opening_bracket("f("), opening_bracket("x")
    (':', '(', '')
    """
    found = _OPENER.search(line[-_LONGEST:])
    return found[0][0] if found else ""


def floor_under(opener: str) -> int:
    """Least indentation, in columns, of the lines in the block that a line opens.

    >>> floor_under("  if (x) {"), floor_under("  switch (x) {")
    (3, 2)
    """
    start = opener.lstrip()[:_LONGEST]
    own_depth = _LABELLED.match(start) or _CASE.match(start)
    return indent(opener) + (not own_depth)


def holds_members(opener: str) -> bool:
    """Whether a line opens a block of definitions, which are written one at a time.

    >>> holds_members("export class A {"), holds_members("def f():")
    (True, False)
    """
    return _MEMBERS.match(opener.lstrip()[:_LONGEST]) is not None


def is_branch(opener: str, language: str) -> bool:
    """Whether it is the pattern of a branch in Bash's `case`."""
    return language == "shellscript" and _BRANCH.match(opener[-_LONGEST:]) is not None


def needs_after(opener: str) -> tuple[str, ...]:
    """Words of which one must follow the block that a line opens.

    >>> needs_after("    try:"), needs_after("} else {")
    (('except', 'catch', 'finally'), ())
    """
    found = re.match(r"\s*(\w+)\s*[:{]\s*$", opener)
    return _NEEDS.get(found[1], ()) if found else ()


def with_heading(line: str, above: str) -> str:
    """A line that is only a brace with what that belongs to, which is the line above it.

    >>> with_heading("  {", "  try"), with_heading("  try {", "  a();")
    ('  try {', '  try {')
    """
    return f"{above} {{" if line.strip() == "{" and not opening_bracket(above) else line


def first_word(line: str) -> str:
    """The word that a line begins with, brackets before it skipped, or "".

    >>> first_word("  } else {"), first_word("end)"), first_word("x.y")
    ('else', 'end', 'x')
    """
    found = re.match(r"[\s)\]};]*(\w*)", line)
    return found[1] if found else ""
