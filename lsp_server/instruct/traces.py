"""Places in the output of a program that failed: tracebacks, compilers, test runners. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """A place that some output names."""

    path: str
    """As it is written there."""
    line: int
    """Index, from 0."""


_PATTERNS = (
    # File "a.py", line 3, in f  (Python)
    re.compile(r'^[ \t]*File "(?P<path>[^"<>\n]+)", line (?P<line>\d+)', re.MULTILINE),
    # --> src/main.rs:4:5  (rustc);  at src/main.rs:4:5  (a Rust panic's backtrace)
    re.compile(r"^[ \t]*(?:-->|at) (?P<path>[^\s()]+?\.rs):(?P<line>\d+)", re.MULTILINE),
    # thread 'main' panicked at src/main.rs:4:5
    re.compile(r"panicked at (?:'.*', )?(?P<path>[^\s:]+\.rs):(?P<line>\d+)"),
    # at f (/a/b.js:3:9), at file:///a/b.mjs:3:9  (node)
    re.compile(
        r"^[ \t]*at (?:.*\()?(?:file://)?(?P<path>[^\s():]*\.[cm]?[jt]sx?):(?P<line>\d+)(?::\d+)?\)?$",
        re.MULTILINE,
    ),
    # at com.acme.Shop.total(Shop.java:12)
    re.compile(
        r"^[ \t]*at (?P<package>[\w$.]+)\.[\w$<>]+"
        r"\((?P<path>\w+\.(?:java|kt|scala)):(?P<line>\d+)\)",
        re.MULTILINE,
    ),
    # a.c:3:9: error: …  (gcc, clang, go, tsc --pretty, mypy);  a.py:3: AssertionError  (pytest);
    # /src/a.go:12 +0x1d  (a Go panic)
    re.compile(
        r"^[ \t]*(?P<path>(?:[A-Za-z]:)?[\w./\\@+-]*\w\.[A-Za-z]\w{0,5}):(?P<line>\d+)(?=[:\s]|$)",
        re.MULTILINE,
    ),
    # a.ts(3,9): error  (tsc, MSVC)
    re.compile(r"^[ \t]*(?P<path>[\w./\\@+-]+\.\w{1,5})\((?P<line>\d+)(?:,\d+)?\):", re.MULTILINE),
    # in /a/b.php:12, or: in /a/b.php on line 12
    re.compile(r"\bin (?P<path>/?[\w./-]+\.php)(?::| on line )(?P<line>\d+)"),
    # a_test.go:12: got 3  (go test, indented);  from a.rb:3:in `f'
    re.compile(r"^[ \t]*from (?P<path>[\w./-]+\.rb):(?P<line>\d+)", re.MULTILINE),
)


def frames(output: str) -> list[Frame]:
    """The places that some output names, in its order, each once."""
    found: dict[int, Frame] = {}
    for pattern in _PATTERNS:
        for match in pattern.finditer(output):
            path = match["path"]
            if "package" in match.groupdict():
                folder = match["package"].rpartition(".")[0].replace(".", "/")
                path = f"{folder}/{path}" if folder else path
            found.setdefault(match.start("line"), Frame(path, int(match["line"]) - 1))
    return list(dict.fromkeys(found[at] for at in sorted(found)))


def deepest_last(output: str, places: list[Frame]) -> list[Frame]:
    """The frames so that the one in which it happened stands last, as Python has them."""
    return places if "Traceback (most recent call last)" in output else places[::-1]
