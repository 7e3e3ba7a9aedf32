"""Patterns as git reads them, and in time that does not explode."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.gitignore import Pattern, Patterns, ancestors, literal, parse
from lsp_server.wildmatch import BadPattern

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["a", "b", "ab", "a.b", "z", "foo", "foo ", "]", "[", "-", "a-b", "A1", "#a", "!a", "x\\y"]
PATHS = [*NAMES, *(f"a/{name}" for name in NAMES), "a/b/a", "b/a/a/b", "foo/a/b/foo"]
PIECES = st.one_of(
    st.sampled_from(["a", "b", "foo", "*", "**", "?", "/", "!", "#", "\\", " ", "]", "-", "**/"]),
    st.sampled_from(["[a-b]", "[!a]", "[^a]", "[]a]", "[z-a]", "[a-\\]]", "[\\]]", "[a", "["]),
    st.sampled_from(["a", "b", "/", "*", "[[:alpha:]]", "[[:nope:]]"]),
)
LINES = st.lists(PIECES, max_size=6).map("".join)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def matched_by_git(repository: Path, lines: list[str]) -> list[str]:
    (repository / ".gitignore").write_text("".join(f"{line}\n" for line in lines), newline="")
    command = ["git", "-C", str(repository), "-c", "core.excludesFile=", "check-ignore"]
    asked = subprocess.run(
        [*command, "-z", "--no-index", "--stdin"],
        input="\0".join(PATHS),
        capture_output=True,
        text=True,
        check=False,
    )
    return [path for path in asked.stdout.split("\0") if path]


def patterns_of(lines: list[str]) -> Patterns:
    read = []
    for line in lines:
        try:
            read.append(parse(line))
        except BadPattern:
            continue
    return Patterns([each for each in read if each])


def matched(lines: list[str]) -> list[str]:
    patterns = patterns_of(lines)

    def excluded(path: str, *, folder: bool) -> bool:
        found = patterns.last_match(path, folder=folder)
        return bool(found and found.excludes)

    return [
        path
        for path in PATHS
        if any(excluded(at, folder=True) for at in ancestors(path)) or excluded(path, folder=False)
    ]


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=3))
def test_git_agrees(repository: Path, lines: list[str]) -> None:
    assert matched(lines) == matched_by_git(repository, lines)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("!", "empty"),
        ("/", "empty"),
        ("a//b", "empty"),
        ("foo\\", "backslash"),
        ("\\", "backslash"),
        ("[a", "closed"),
        ("[[:nope:]]", "nope"),
        ("./a", "`.`"),
        ("../a", "`..`"),
        ("x" * 100_000, "longer"),
    ],
)
def test_what_matches_nothing_is_told(line: str, why: str) -> None:
    with pytest.raises(BadPattern, match=re.escape(why)):
        parse(line)


@pytest.mark.parametrize("line", ["", "   ", "# a", "\0a", "\r"])
def test_blank_lines_and_comments(line: str) -> None:
    assert parse(line) is None


def test_a_line_ends_at_a_nul_and_before_a_carriage_return() -> None:
    assert [parse(line).text for line in ("a\0b", "a\r", "a \r")] == ["a", "a", "a"]  # type: ignore[union-attr]  # none is blank


def test_case_is_ignored_where_that_is_wanted() -> None:
    for line in ("*.Pem", "Secrets/*", "ID_rsa"):
        patterns = Patterns([p for p in [parse(line, ignore_case=True)] if p], ignore_case=True)
        path = line.swapcase().replace("*", "x")
        assert patterns.last_match(path, folder=False)


def test_a_path_taken_literally_matches_itself_alone() -> None:
    path = "a[1]*?\\b/c"
    assert patterns_of([literal(path)]).last_match(path, folder=False)
    assert not patterns_of([literal(path)]).last_match("a1*?\\b/c", folder=False)


@pytest.mark.parametrize(
    "line",
    ["a*a*a*a*a*a*a*b", "a/**/a/**/a/**/b", "**/**/**/**/x", "?*?*?*?*?*?*b", "[a]*[a]*[a]*[a]*b"],
)
def test_no_part_of_an_expression_can_be_gone_back_to(line: str) -> None:
    """All that repeats is possessive, in an atomic group, or the one search before the end."""
    pattern = parse(line)
    assert pattern
    outside = re.sub(r"\(\?>(?:[^()]|\(\?:[^()]*\)|\(\?!/\))*\)", "", pattern.expression)
    free = outside.replace("(?:[^/]++/)*?", "", 1)
    assert not re.search(r"[*+]", free.replace(r"\*", ""))
    path = "a" * 5_000 if "/" not in line else "a/" * 2_000 + "a"
    assert patterns_of([line]).last_match(path, folder=False) is None


def test_of_many_plain_names_only_the_likely_ones_are_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patterns = patterns_of([f"name{number}.txt" for number in range(10_000)])
    compared: list[str] = []
    matches = Pattern.matches

    def counted(self: Pattern, path: str, *, folder: bool) -> bool:
        compared.append(path)
        return matches(self, path, folder=folder)

    monkeypatch.setattr(Pattern, "matches", counted)
    assert patterns.last_match("a/name7.txt", folder=False)
    assert len(compared) == 1
