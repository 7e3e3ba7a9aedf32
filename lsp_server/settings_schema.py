"""The settings as JSON Schema, read from `settings.py`: what the editor checks while one types."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from typing import Any, Literal, get_args, get_origin, get_type_hints

from lsp_server import settings, settings_table

Schema = dict[str, Any]

_TYPES: dict[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    tuple[str, ...]: {"type": "array", "items": {"type": "string"}},
}
_LINK = re.compile(r"\[([^]]+)]\([^)]+\)")


def properties() -> dict[str, Schema]:
    """Each setting's name with its section, in the order of the source, and its schema."""
    texts = {row.name: row.text for row in settings_table.rows()}
    found = {}
    for section in dataclasses.fields(settings.Settings):
        values = getattr(settings.Settings(), section.name)
        hints, limits = get_type_hints(type(values)), _limits(type(values))
        for field in dataclasses.fields(values):
            name = f"caret.{section.name}.{settings.camel_case(field.name)}"
            found[name] = _kind(hints[field.name]) | limits.get(field.name, {})
            found[name]["default"] = _plain(getattr(values, field.name))
            found[name]["scope"] = "window" if field.metadata.get("workspace") else "machine"
            # An editor does not resolve links between our docs.
            text = _LINK.sub(r"\1", texts[name])
            found[name]["markdownDescription"] = text + _narrowed(found[name])
    return found


def _narrowed(setting: Schema) -> str:
    """Return a sentence on what a workspace can do to the setting; the extension sees to it."""
    if setting["scope"] == "machine":
        return ""
    narrowed = {
        "boolean": " A workspace can only switch it off.",
        "array": " A workspace's list only adds to yours.",
    }
    return narrowed.get(setting["type"], "")


def _kind(hint: Any) -> Schema:  # noqa: ANN401 - a typing form
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    return dict(_TYPES[hint])


def _plain(value: object) -> object:
    """As JSON reads it back."""
    if isinstance(value, tuple):
        return list(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _limits(section: type) -> dict[str, Schema]:
    """Field to its bounds, from the calls of `_check_range`; `self.x or 256` allows 0 too."""
    found: dict[str, Schema] = {}
    for node in ast.walk(ast.parse(inspect.getsource(section))):
        match node:
            case ast.Call(func=ast.Name(id="_check_range"), args=[value, low, high]):
                or_zero = isinstance(value, ast.BoolOp)
                field = value.values[0] if isinstance(value, ast.BoolOp) else value
                assert isinstance(field, ast.Attribute)
                minimum = 0 if or_zero else _number(low)
                found[field.attr] = {"minimum": minimum, "maximum": _number(high)}
    return found


def _number(node: ast.expr) -> object:
    """A number that is written out, or a power of two of them."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        base, exponent = ast.literal_eval(node.left), ast.literal_eval(node.right)
        return base**exponent
    return ast.literal_eval(node)
