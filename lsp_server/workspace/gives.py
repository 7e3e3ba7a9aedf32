"""Of what type a definition is, or what it gives, by the names in its text. Pure functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsp_server.workspace.declared import flat, types_in, values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

_LONGEST = 300
"""Characters that are read of a type or a value."""
_LONGEST_BODY = 20_000
"""The same of a function, for functions stand in functions."""
_RESULTS = ("return_type", "result", "returns", "type")
"""Fields in which the grammars have what a function returns."""
_ALIASES = ("type_alias_declaration", "type_alias_statement")
_FUNCTIONS = ("arrow_function", "function_expression")
_OTHER_TYPES = ("type_identifier", "generic_type", "nested_type_identifier")
"""What `type A = B & { ... }` names besides."""
_RETURNED = re.compile(
    r"\breturn\s+(?:(?:await\s+)?(?:new\s+)?([A-Z]\w*)\(|(this|self)\s*(?:[;}\n]|$))"
    r"|=>\s*new\s+([A-Z]\w*)"
)
_RETURNS = re.compile(r"@returns?\s+\{([^{}]++)\}")
_PHP_RETURNS = re.compile(r"@return\s++(\S++)")
_EMBEDDED = re.compile(r"^[ \t]*+\*?([^\W\d][\w.]*+)[ \t]*+$", re.MULTILINE)
"""A line of a Go type that is another one."""


def gives(kind: str, node: Node, name: Node) -> list[str]:
    """Names of a type's bases, of what a function returns, or of what a value is of.

    Args:
        kind: type, function, value or field.
        node: The definition, without what is around it.
        name: Its name, a part of it.
    """
    if kind == "type":
        return _bases(node, name)
    if kind == "function":
        told = _text(_fields(node, _RESULTS))
        if name.type == "name":  # PHP's `array` does not tell of what
            told = f"{told} {_documented(node, _PHP_RETURNS)}".strip()
        told = told or _documented(node, _RETURNS)
        return types_in(told) if told else _returned(_text([node], _LONGEST_BODY))
    return _value([name.parent or node, node])


def _bases(node: Node, name: Node) -> list[str]:
    """Between the name and the body, before an `impl`'s type, or in lines of a Go type."""
    if node.type == "type_spec":
        inside = _text(_fields(node, ["type"]), longest=None)
        return types_in(" ".join(_EMBEDDED.findall(inside)))
    if node.type == "type_alias_declaration":
        others = (each for part in _fields(node, ["value"]) for each in part.named_children)
        return types_in(_text(each for each in others if each.type in _OTHER_TYPES))
    source, body = node.text or b"", node.child_by_field_name("body")
    end = body.start_byte if body else node.end_byte
    after = source[name.end_byte - node.start_byte : end - node.start_byte]
    told = _decoded(after)[:_LONGEST]
    told = told if node.type == "class_definition" else flat(told)  # in Python no parameters
    return types_in(_text(_fields(node, ["trait"])) + " " + told)


def _documented(node: Node, says: re.Pattern[str]) -> str:
    """What the comment before a function says that it returns."""
    exported = node.parent if node.parent and node.parent.type == "export_statement" else node
    before = exported.prev_sibling
    comment = _text([before], None) if before and before.type == "comment" else ""
    return " ".join(says.findall(comment))


def _returned(text: str) -> list[str]:
    """What a function without a type makes where it returns something, or itself.

    >>> _returned("function open(path) { return new Bank(path); }")
    ['Bank']
    """
    return list(dict.fromkeys("".join(names) for names in _RETURNED.findall(text)))


def _value(nodes: list[Node]) -> list[str]:
    """What it is said to be of, else what makes it."""
    if told := _text(each for node in nodes for each in _fields(node, ["type"])):
        return types_in(told)
    made = [each for node in nodes for each in _fields(node, ["value", "right"])]
    if results := _text(each for node in made for each in _fields(node, _RESULTS)):
        return types_in(results)
    if any(node.type in _FUNCTIONS for node in made):
        return _returned(_text(made, _LONGEST_BODY))
    if any(node.type in _ALIASES for node in nodes):
        return types_in(_text(made))
    return list(dict.fromkeys(map(_maker, values(_text(made[:1])))))


def _maker(way: tuple[str, ...]) -> str:
    """`Bank` of `bank.Bank.open()`, `open` of `bank.open()`.

    >>> _maker(("bank", "Bank", "open")), _maker(("bank", "open"))
    ('Bank', 'open')
    """
    return next((name for name in reversed(way) if name[0].isupper()), way[-1])


def _fields(node: Node, names: Iterable[str]) -> list[Node]:
    return list(filter(None, map(node.child_by_field_name, names)))


def _text(nodes: Iterable[Node], longest: int | None = _LONGEST) -> str:
    return " ".join(_decoded((node.text or b"")[:longest]) for node in nodes)


def _decoded(source: bytes) -> str:
    return source.decode("utf-8", "replace")
