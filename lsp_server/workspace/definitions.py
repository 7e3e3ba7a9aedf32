"""The definitions in a file, each in as few lines as tell how it is used. Pure functions."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tree_sitter import QueryCursor

from lsp_server.secrets import redacted
from lsp_server.workspace.gives import gives
from lsp_server.workspace.grammars import GRAMMARS, parse, parser

if TYPE_CHECKING:
    from tree_sitter import Node, Query

SHORT = 5
"""Lines of a definition that is shown as it is."""
OUTLINE = 32
"""Lines of a longer one, at most."""
_LINE = 200
"""Characters of a line."""
_NAMES = 8_000
"""Characters of all names in a type."""
_CREDENTIAL = 4_096
"""Characters of a credential, at most."""
DEEPEST = 128
"""Nodes around a definition, at most: tree-sitter finds the parent of a node from the root on."""
TOGETHER = 64
"""Names that one declaration gives, at most: `typedef struct {...} a, b`."""
_COMMENTS = {"python": "#", "shellscript": "#", "ruby": "#", "lua": "--"}
_KINDS = ("type", "function", "value", "field")
_WRAPPERS = (
    *("decorated_definition", "export_statement", "template_declaration", "type_definition"),
    *("ambient_declaration", "expression_statement", "assignment_expression"),
)
_PROMOTED = "property_promotion_parameter"
"""PHP's: a parameter of its maker that is a field of the type."""
_GROUPS = ("type_declaration", "const_declaration", "var_declaration")
"""Go's: each holds one definition, or several in brackets."""
_PROPERTY = re.compile(
    r"\s*(?:@(?:\w+\.)*(?:cached_)?property\b|@\w+\.setter\b|(?:static\s+)?[gs]et\s+[#\w])"
)
"""Begins a function that is used like a field: Python's and JavaScript's."""
_PRIVATE = re.compile(
    r"\s*+(?:(?:@\w+(?:\([^()]*\))?|\[[^\]]*+\]|static|readonly|final|abstract)\s++)*private\b"
)
_QUALIFIED = re.compile(r"::|\.|:")
_NAME = re.compile(r"(?!constructor$|__)\w")
"""Of a member that somebody writes."""
_ATTRIBUTE = re.compile(rb"^[ \t]+(?:self|this)\.([A-Za-z]\w*)(?:: [^=\n]+)? = ", re.MULTILINE)
"""That a method assigns; not a private one."""
_TAKEN = re.compile(
    rb"(?<!private )(?<!protected )\b(?:public readonly|public|readonly) ([A-Za-z]\w*)\??:"
)
"""TypeScript's, that a constructor takes."""
_DOCSTRING = re.compile(r"""\s*[rRuU]?(?:\"\"\"|''')""")


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition."""

    name: str
    owner: str
    """The type that it is a member of, or ""."""
    outside: bool
    """It stands outside of its owner, whose outline lacks it."""
    line: int
    """Index of its first line."""
    text: str
    """Its outline: signatures, fields, the first line of a docstring."""
    kind: str
    """type, function, value or field."""
    gives: str
    """Names of a type's bases, of what a function returns, or of what a value is of."""
    brief: str
    """A signature; of a type its first line and the names of its members, in a comment."""


def definitions(text: str, language: str, *, fields: bool = False) -> list[Definition]:
    """Types, functions and constants in the order of the file; none in an unknown language.

    With `fields` also these, which are else only in the outlines of their types. What is local to
    a function is left out.

    Raises:
        TimeoutError: The grammar's parser goes astray in this text.
    """
    if language not in GRAMMARS:
        return []
    source = _Source(text.encode("utf-8", "replace"))
    if (tree := parse(language, source.data)) is None:
        raise TimeoutError(f"takes too long to parse as {language}")
    found = _nested(_captured(tree.root_node, parser(language)[1], source))
    return [
        Definition(
            item.name,
            item.owner or (item.around.name if item.around else ""),
            bool(item.owner) and item.around is None,
            item.node.start_point[0],
            "\n".join(_cut(line, _LINE) for line in item.outline()[:OUTLINE]),
            item.kind,
            " ".join(item.gives),
            item.brief(comment(language)),
        )
        for item in found
        if fields or item.kind != "field"
    ]


def _cut(line: str, most: int) -> str:
    """Return the beginning of a line; credentials are redacted first, as a part is not known."""
    return line if len(line) <= most else redacted(line[: most + _CREDENTIAL])[:most]


def comment(language: str) -> str:
    """What begins one."""
    return _COMMENTS.get(language, "//")


@dataclass(slots=True)
class _Source:
    """A file with results that are kept, as one declaration may give a thousand names."""

    data: bytes
    _lines: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    _bodies: dict[int, Node | None] = field(default_factory=dict)
    _assigned: dict[int, list[str]] = field(default_factory=dict)

    def lines(self, start: int, end: int) -> list[str]:
        """Return the lines of a range, with the first one's indentation if it begins a line."""
        if (start, end) not in self._lines:
            line = self.data.rfind(b"\n", 0, start) + 1
            first = start if self.data[line:start].strip() else line
            text = self.data[first:end].decode("utf-8", "replace").rstrip()
            self._lines[start, end] = [_cut(each, _NAMES) for each in text.splitlines()]
        return self._lines[start, end]

    def body(self, node: Node) -> Node | None:
        """Return `_body(node)`, computed once, as it may walk over a whole declaration."""
        if node.id not in self._bodies:
            self._bodies[node.id] = _body(node)
        return self._bodies[node.id]

    def assigned(self, node: Node) -> list[str]:
        """Return the names that a type's methods assign, or that its constructor takes for that."""
        if node.id not in self._assigned:
            where = self.data, node.start_byte, node.end_byte
            found = _TAKEN.findall(*where) + _ATTRIBUTE.findall(*where)
            self._assigned[node.id] = [name.decode() for name in dict.fromkeys(found)]
        return self._assigned[node.id]


@dataclass(slots=True)
class _Found:
    """A node that the query captured."""

    kind: str
    name: str
    owner: str
    """As its own text has it: `S` in Go's `func (s *S) F()`."""
    gives: list[str]
    node: Node
    source: _Source
    names: list[str] = field(default_factory=list)
    """Of a field all that stand in its place: `int a, b;`."""
    around: _Found | None = None
    members: list[_Found] = field(default_factory=list)

    def outline(self) -> list[str]:
        """All of it if it is short; else the heads of it and of what it holds."""
        whole = self.source.lines(self.node.start_byte, self.node.end_byte)
        if len(whole) <= SHORT:
            return whole
        heads = [*self.head(), *(line for member in self.members for line in member.head())]
        return whole if len(heads) == 1 and self.kind == "type" else heads

    def brief(self, begin: str) -> str:
        """In a line, or those of a signature."""
        if self.kind == "function":
            return "\n".join(_cut(line, _LINE) for line in self.signature()[:SHORT])
        if self.kind != "type" or not self.members:
            return _cut(self.signature()[0], _LINE)
        first = next(line for line in self.signature() if self.name in line)
        seen = [each for each in self.members if "partial" in first or not each.private()]
        calls = {name: member.called(name) for member in seen for name in member.names}
        names = [calls[name] for name in calls if _NAME.match(name) and name != self.name]
        known = {name for member in self.members for name in member.names}
        names += [name for name in self.source.assigned(self.node) if name not in known]
        return _cut(f"{first} {begin} {', '.join(names)}", _NAMES) if names else first

    def called(self, name: str) -> str:
        """A name of it as it is used."""
        is_property = any(map(_PROPERTY.match, self.signature()))
        return f"{name}()" if self.kind == "function" and not is_property else name

    def private(self) -> bool:
        """Whether it says that no other type may use it."""
        return bool(_PRIVATE.match(" ".join(self.signature())))

    def head(self) -> list[str]:
        """Up to the body, with the first line of a docstring."""
        body = self.source.body(self.node)
        inside = self.source.lines(body.start_byte, body.end_byte) if body else []
        documented = inside and _DOCSTRING.match(inside[0])
        return self.signature() + inside[:1] if documented else self.signature()

    def signature(self) -> list[str]:
        """Up to the body, with the name that stands behind it in `typedef struct {...} Name`."""
        body = self.source.body(self.node)
        end = body.start_byte if body else self.node.end_byte
        *above, last = self.source.lines(self.node.start_byte, end)
        named = self.kind != "type" or any(self.name in line for line in (*above, last))
        return [*above, last if named else f"{last} {self.name}"]


def _captured(root: Node, query: Query, source: _Source) -> list[_Found]:
    """In the order of the file, outer ones first; a place once for each name, of fields once."""
    found: dict[tuple[int, str], _Found] = {}
    together: Counter[int] = Counter()
    cursor = QueryCursor(query)
    cursor.set_max_start_depth(DEEPEST)
    for _, captures in cursor.matches(root):
        kind = next(key for key in captures if key in _KINDS)
        *path, name = _QUALIFIED.split(_name(captures["name"][0]))
        owner = _name(captures["owner"][0]) if "owner" in captures else (path or [""])[-1]
        if kind == "value" and _type_body(captures[kind][0]):
            kind, captures = "type", {**captures, "type": captures[kind]}
        node = whole(captures[kind][0])
        key = node.start_byte, "" if kind == "field" else name
        together[node.id] += kind != "field"
        if together[node.id] > TOGETHER:
            continue
        of = gives(kind, captures[kind][0], captures["name"][0])
        found.setdefault(key, _Found(kind, name, owner, of, node, source)).names.append(name)
    return sorted(found.values(), key=lambda item: (item.node.start_byte, -item.node.end_byte))


def _nested(found: list[_Found]) -> list[_Found]:
    """Each put among the members of the type around it; those in functions left out."""
    kept: list[_Found] = []
    stack: list[_Found] = []
    for item in found:
        while stack and stack[-1].node.end_byte <= item.node.start_byte:
            stack.pop()
        if stack and stack[-1].node == item.node:  # `var a, b int`, `typedef struct a {} b`
            item.members = stack.pop().members
        if item.node.type == _PROMOTED and len(stack) > 1:
            stack[-2].members.append(item)
        local = any(outer.kind == "function" for outer in stack)
        if stack and not local:
            item.around = stack[-1]
            stack[-1].members.append(item)
        kept += [] if local else [item]
        stack.append(item)
    return kept


def _name(node: Node) -> str:
    """Without parameters, template arguments and C++'s stars."""
    text = (node.text or b"").decode("utf-8", "replace")
    text = text.removeprefix("$") if node.type == "variable_name" else text
    return re.split(r"[(<\[]", text)[0].strip("*& ")


def whole(node: Node) -> Node:
    """With what it is a part of: decorators, `export`, `template<...>`, `type` of no group."""
    while node.parent is not None and _wraps(node.parent):
        node = node.parent
    return node


def _wraps(node: Node) -> bool:
    if node.type in _GROUPS:
        opens = node.child(1)  # the list of all children is as long as the group
        return opens is None or opens.type != "("
    return node.type in _WRAPPERS


def _type_body(node: Node) -> Node | None:
    """Of `type A = { ... }` and `type A = B & { ... }`, which are as good as an interface."""
    value = node.child_by_field_name("value") if node.type == "type_alias_declaration" else None
    if value is None:
        return None
    parts = value.named_children if value.type == "intersection_type" else [value]
    return next((part for part in parts if part.type == "object_type"), None)


def _body(node: Node) -> Node | None:
    if inside := _type_body(node):
        return inside
    if found := node.child_by_field_name("body") or node.child_by_field_name("accessors"):
        return found
    if node.type not in _WRAPPERS:
        return None
    return next((body for child in node.named_children if (body := _body(child))), None)
