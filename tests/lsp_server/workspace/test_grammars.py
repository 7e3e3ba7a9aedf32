"""Texts that take a grammar's parser, or who walks its tree, far more than others do."""

from __future__ import annotations

import tracemalloc
from itertools import count

import pytest

from lsp_server.workspace.definitions import definitions


@pytest.mark.parametrize(
    ("language", "begin", "each", "close"),
    [
        ("typescript", "type A = B", " & {a: string}", ""),
        ("typescript", "type A = B", " | {a: string}", ""),
        ("cpp", "", "namespace a {class B {int c;};", "}"),
        ("cpp", "typedef struct {int x;} a", ", b@", ""),
        ("rust", "", "mod a {struct A;", "}"),
    ],
)
def test_of_what_is_nested_without_end_the_outer_parts_are_read(
    language: str, begin: str, each: str, close: str
) -> None:
    """In a deep tree the parent of each node costs as much as the tree is deep."""

    def found(parts: int) -> int:
        inner = "".join(each.replace("@", str(number)) for number in range(parts))
        return len(definitions(f"{begin}{inner}{close * parts};", language, fields=True))

    assert found(3) > 1
    assert found(500) == found(1_000)


def test_a_text_in_which_a_parser_goes_astray_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = count()
    with monkeypatch.context() as patch:
        patch.setattr("time.thread_time", lambda: float(next(seconds)))
        with pytest.raises(TimeoutError, match="too long to parse as cpp"):
            definitions("[[a]] " * 200 + "int f(){}\n", "cpp")
    assert [item.name for item in definitions("int f(){}\n", "cpp")] == ["f"]


def test_nothing_stays_of_a_text_that_was_parsed() -> None:
    """Tree-sitter's binding keeps all that it was given by a callback."""
    text = "def f(x):\n    return x\n" * 1_000

    def parsed() -> None:
        assert len(definitions(text, "python")) == 1_000

    tracemalloc.start()
    try:
        parsed()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(4):
            parsed()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < len(text)
