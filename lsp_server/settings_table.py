"""The settings as a table, read from the source of `settings.py`; docs/settings.md holds it."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsp_server import settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Row:
    """One setting."""

    name: str
    """With its section, as editors write it."""
    default: str
    """As JSON."""
    text: str
    """Markdown, one line."""


def rows() -> Iterator[Row]:
    """All settings in the order of the source."""
    docs = _field_docs()
    for section in dataclasses.fields(settings.Settings):
        values = getattr(settings.Settings(), section.name)
        for field in dataclasses.fields(values):
            yield Row(
                f"caret.{section.name}.{settings.camel_case(field.name)}",
                json.dumps(getattr(values, field.name)),
                docs[type(values).__name__, field.name],
            )


def markdown() -> str:
    """The table for the docs."""
    lines = ["| setting | default | what it does |", "|---|---|---|"]
    for row in rows():
        default = row.default if len(row.default) <= 40 else "see below"
        lines.append(f"| `{row.name}` | `{default}` | {row.text} |")
    return "\n".join(lines)


def _field_docs() -> dict[tuple[str, str], str]:
    """(class, field) to the string that stands under the field."""
    found = {}
    for node in ast.parse(inspect.getsource(settings)).body:
        if isinstance(node, ast.ClassDef):
            for item, after in zip(node.body, node.body[1:], strict=False):
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    found[node.name, item.target.id] = _text(after)
    return found


def _text(node: ast.stmt) -> str:
    """A string literal that stands as a statement, on one line; "" for anything else."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return " ".join(str(node.value.value).split())
    return ""
