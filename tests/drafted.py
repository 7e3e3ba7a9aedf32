"""Applies all rules to a model's text while it streams."""

from __future__ import annotations

from engine.api import Piece
from lsp_server.context import site_at
from lsp_server.documents import split_lines
from lsp_server.draft import Draft
from lsp_server.shape import shape_of


def shown(language: str, document: str, text: str, *, by_hand: bool = False) -> str:
    """Return what is shown of `text`, in pieces of four characters, at the mark in a document."""
    before, after = document.split("‸")
    line, column = before.count("\n"), len(before.rpartition("\n")[2])
    site = site_at(split_lines(before + after), line, column, language=language)
    draft = Draft(site, shape_of(site, "auto", fills=by_hand))
    for start in range(0, len(text), 4):
        last = start + 4 >= len(text)
        piece = Piece(text=text[start : start + 4], finish_reason="stop" if last else None)
        if draft.add(piece):
            break
    return draft.text()
