"""Source code as tree-sitter sees it: does it parse, what closes too much, what may be cut out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsp_server.brackets import CLOSERS, PAIRS
from lsp_server.workspace.grammars import parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Tree

_BLOCKS = frozenset(
    ["block", "compound_statement", "statement_block", "do_group", "constructor_body"]
)
"""Bodies, in the grammars of the languages that holes are cut from."""
_NO_CODE = ("comment", "string", "heredoc", "text", "template", "encapsed", "raw", "char", "regex")


@dataclass(frozen=True, slots=True)
class Span:
    """Whole lines, by index; `last` is one of them."""

    first: int
    last: int


def tree_of(text: str, language: str) -> Tree:
    """The tree of a text in one of `grammars.GRAMMARS`."""
    return parser(language)[0].parse(text.encode("utf-8", "replace"))


def parses(text: str, language: str) -> bool:
    """Whether it has no error of syntax, as far as a grammar without a compiler tells."""
    return not tree_of(text, language).root_node.has_error


def surplus_closers(text: str, language: str) -> int:
    """Closing brackets without an opening one, outside of strings and comments."""
    surplus, opened = 0, list[str]()
    for leaf in _leaves(tree_of(text, language).root_node):
        for char in _punctuation(leaf):
            if char in PAIRS:
                opened.append(PAIRS[char])
            elif char in CLOSERS and char in opened:
                while opened.pop() != char:
                    pass
            elif char in CLOSERS:
                surplus += 1
    return surplus


def _punctuation(leaf: Node) -> str:
    """The text of a leaf that is nothing else; a closer too much may stand in any kind of node."""
    text = (leaf.text or b"").decode("utf-8", "replace")
    named = any(char.isalnum() or char == "_" for char in text)
    return "" if named or any(word in leaf.type for word in _NO_CODE) else text


def bodies(tree: Tree) -> Iterator[Span]:
    """The lines inside of blocks that begin and end on lines of their own."""
    for node in _nodes(tree.root_node):
        if node.type not in _BLOCKS or node.parent is None:
            continue
        first, last = node.start_point[0], node.end_point[0]
        bracketed = node.children and not node.children[0].is_named
        if bracketed and last - first > 1:
            yield Span(first + 1, last - 1)
        elif not bracketed and first > node.parent.start_point[0]:
            yield Span(first, last)


def tokens_of_code(tree: Tree) -> dict[int, list[int]]:
    """Columns (in bytes) at which tokens begin, by line; not those of comments and in strings."""
    columns: dict[int, list[int]] = defaultdict(list)
    for leaf in _leaves(tree.root_node):
        row, column = leaf.start_point
        if leaf.end_byte > leaf.start_byte and not any(word in leaf.type for word in _NO_CODE):
            columns[row].append(column)
    return columns


def _leaves(root: Node) -> Iterator[Node]:
    return (node for node in _nodes(root) if not node.child_count)


def _nodes(root: Node) -> Iterator[Node]:
    """All of them in the order of the text, outer ones first."""
    cursor = root.walk()
    while True:
        assert cursor.node is not None
        yield cursor.node
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
