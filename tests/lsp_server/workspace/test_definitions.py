"""Definitions by tree-sitter, in every language that has a grammar."""

from __future__ import annotations

import pytest

from bench.evals.cross_file import SAMPLES, Sample
from lsp_server.workspace.definitions import OUTLINE, definitions
from lsp_server.workspace.grammars import GRAMMARS


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_samples_answer_is_in_a_definition(sample: Sample) -> None:
    other = next(iter(sample.files.values()))
    text = "\n".join(found.text for found in definitions(other, sample.language))
    assert sample.expected.split("(")[0].strip("=") in text


def test_the_samples_cover_all_grammars() -> None:
    assert GRAMMARS.keys() - {sample.language for sample in SAMPLES} == {"typescriptreact"}


PYTHON = '''import abc

LIMIT = 3


@abc.decorator
class Stack(list[int]):
    """A pile.

    Not a queue.
    """

    size: int = 0
    limit = LIMIT

    def push(self, item: int) -> None:
        """Put one on top."""
        self.append(item)
        self.size += 1
        if self.size > self.limit:
            self.pop()

    @property
    def top(self) -> int:
        return self[-1]


async def long(
    a: int,
    b: int,
) -> int:
    def local() -> int:
        return a

    c = a + b
    return c
'''


def test_outlines() -> None:
    found = {item.name: item for item in definitions(PYTHON, "python")}
    assert list(found) == ["LIMIT", "Stack", "push", "top", "long"]
    assert found["Stack"].text == (
        '@abc.decorator\nclass Stack(list[int]):\n    """A pile.\n'
        "    size: int = 0\n    limit = LIMIT\n"
        '    def push(self, item: int) -> None:\n        """Put one on top."""\n'
        "    @property\n    def top(self) -> int:"
    )
    assert found["push"].owner == "Stack"
    assert found["push"].text.startswith("    def push")
    assert found["long"].text == "async def long(\n    a: int,\n    b: int,\n) -> int:"
    assert found["Stack"].brief == "class Stack(list[int]): # size, limit, push(), top()"
    assert found["push"].brief == "    def push(self, item: int) -> None:"
    assert found["LIMIT"].brief == found["LIMIT"].text
    assert (found["LIMIT"].line, found["LIMIT"].text) == (2, "LIMIT = 3")


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("go", "func (s *Stack) Push(x int) {}", ("Push", "Stack")),
        ("go", "func (s *Stack[T]) Push(x T) {}", ("Push", "Stack")),
        ("go", "func (s Stack[K, V]) Push(k K) {}", ("Push", "Stack")),
        ("lua", "function Stack:push(x) end", ("push", "Stack")),
        ("cpp", "int *Stack::push(int x) { return 0; }", ("push", "Stack")),
    ],
)
def test_members_outside_of_their_type(language: str, text: str, expected: tuple[str, str]) -> None:
    (found,) = definitions(text, language)
    assert (found.name, found.owner) == expected
    assert found.outside


GO = """package p

const (
	First = iota
	Second
)

var (
	// Depth is how deep.
	Depth, width int
)

type (
	Stack struct {
		Top int
	}
	Name = string
)

var Limit = 3

type Queue[T any] struct{}
"""


def test_each_name_of_a_group_is_found_and_a_single_one_with_its_keyword() -> None:
    found = {item.name: item.text for item in definitions(GO, "go")}
    assert found == {
        "First": "\tFirst = iota",
        "Second": "\tSecond",
        "Depth": "\tDepth, width int",
        "width": "\tDepth, width int",
        "Stack": "\tStack struct {\n\t\tTop int\n\t}",
        "Name": "\tName = string",
        "Limit": "var Limit = 3",
        "Queue": "type Queue[T any] struct{}",
    }
    assert not any(item.owner for item in definitions(GO, "go"))


@pytest.mark.parametrize("language", [*GRAMMARS, "markdown", ""])
@pytest.mark.parametrize("text", ["", "\0\n", "(" * 500, "class {{{ def fn \udc80 }", "€" * 50])
def test_any_text_is_taken(language: str, text: str) -> None:
    for found in definitions(text, language):
        assert found.text.count("\n") < OUTLINE
