"""Patterns over whole texts: none tries a run of blank lines from each of them."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import TYPE_CHECKING

import pytest

import lsp_server
from engine.api import Piece
from lsp_server.context import Site
from lsp_server.draft import MOST_CHARACTERS, Draft
from lsp_server.shape import shape_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = [
    found.name
    for found in pkgutil.walk_packages(lsp_server.__path__, "lsp_server.")
    if not found.name.endswith(("__main__", ".process"))
]


def patterns(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    if isinstance(value, tuple | list):
        for each in value:
            yield from patterns(each)


@pytest.mark.parametrize("name", MODULES)
def test_no_pattern_begins_at_each_of_many_blank_lines(name: str) -> None:
    """`^` matches at each line end, and white space behind it would take all lines that follow."""
    for value in vars(importlib.import_module(name)).values():
        for pattern in patterns(value):
            begins = re.search(r"\^(?:\(\?:)?\\s[*+](?!\+)", pattern.pattern)
            assert not (pattern.flags & re.MULTILINE and begins), pattern.pattern


def test_a_server_that_never_ends_is_left_at_some_length() -> None:
    site = Site("x = [", "]\n", "python")
    draft = Draft(site, shape_of(site, "auto", fills=True))
    pieces = 0
    while not draft.add(Piece(text=f"{pieces}, ")):
        pieces += 1
        assert pieces < MOST_CHARACTERS
