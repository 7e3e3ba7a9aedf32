"""What the object before the caret has, and how what is called around the caret is called."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from lsp_server.workspace.declared import IMPORT, Chain
from lsp_server.workspace.definitions import SHORT, comment
from lsp_server.workspace.following import Following, Row
from lsp_server.workspace.found import Found
from lsp_server.workspace.origins import module_of
from lsp_server.workspace.ranking import EXPLICIT, LONGEST, cut, linked, listed, of_module

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from lsp_server.workspace.wanted import Wanted

OBJECT, CALLED = 2.0, 1.0
"""Scores of what the object before the caret has, and of what is called."""
_MAKERS = {
    **dict.fromkeys(["typescript", "typescriptreact"], "constructor"),
    **dict.fromkeys(["javascript", "javascriptreact"], "constructor"),
    "python": "__init__",
    "php": "__construct",
    "ruby": "initialize",
}
"""What makes one of a type, where that has not the type's name."""
_NEW = "new"
"""Ruby's, which calls `initialize`."""
_QUOTES = ('"', "'")
_SPACED = re.compile(r"(?<=\() |,? (?=\))")
"""What lines of parameters have between them and their brackets."""
_ATTRIBUTES = re.compile(r"\battr_\w+[ (](.*)")
_SYMBOL = re.compile(r":(\w+)")
"""Ruby's, whose calls in a type's body are its fields to the index."""
_LIST = re.compile(r"\b(?:enum|struct|interface)\b")
_LISTED = re.compile(r"^[ \t]+(?:case )?([^\W\d]\w*)", re.MULTILINE)
"""In enumerations and Go's types, whose members the index does not know, what begins a line."""
_LITERAL = re.compile(r"= ?(?:Object\.freeze\()?\{$")
_KEY = re.compile(r"(?:async )?([A-Za-z_$][\w$]*)(?=[:(,]|$)")
_NO_MODULES = frozenset(["java", "csharp", "cpp", "c", "objective-c", "php", "ruby"])
"""Languages that import no module as a name before a dot."""
_ROOTS = {"crate", "self", "super"}
"""Rust's, in a path to a module."""
_MODULE = """
SELECT path, brief, name FROM file CROSS JOIN definition ON definition.file = file.id
WHERE stem = ?3 AND owner = '' AND root = ?1 AND language = ?2 AND path != ?4
ORDER BY line LIMIT 64
"""


def members(db: sqlite3.Connection, root: str, language: str, about: Wanted) -> list[Found]:
    """What the object has, then what is called; of neither what the caret's own file tells."""
    lookup = _Lookup(db, root, language, about)
    objects = (lookup.object(tuple(way)) for way in about.object)
    calls = (lookup.called(tuple(way)) for way in about.called)
    # where the likeliest way leads into the caret's file, the others are not gone
    led = [found for ways in (objects, calls) for found in islice(filter(None, ways), 1)]
    return [found for found in led if found.path != about.path]


class _Lookup:
    """For one caret."""

    def __init__(self, db: sqlite3.Connection, root: str, language: str, about: Wanted) -> None:
        self._db, self._where, self._about = db, (root, language), about
        self._index = Following(db, root, language, about)
        self._begin = f"{comment(about.language)} "
        self._maker = _MAKERS.get(about.language, "")

    def object(self, way: Chain) -> Found | None:
        """The type, or the module, at the end of a way."""
        if way[0] == IMPORT and len(way) == 2:
            return self._module(module_of(way[1]), of=way[1])
        way = _named(way)
        if types := self._index.led(way):
            return self._whole(types)
        *folders, module = way
        about = self._about
        if about.language in _NO_MODULES:
            return None
        row = None if folders else self._index.known(module)
        if row and (keys := _keys(row)):
            head = self._head(row).partition(" = ")[0]
            brief = f"{head} {self._begin}{', '.join(keys)}"
            return listed(_found(row, OBJECT, brief), about)
        is_taken = module in (about.origins if about.language in EXPLICIT else about.imports)
        return self._module(module, folders) if is_taken else None

    def called(self, way: Chain) -> Found | None:
        """The function at the end of a way, or how the type there is made."""
        *owner, name = _named(way)
        types = self._index.led(tuple(owner)) if owner else []
        if types:
            row = self._index.member(types, name)
            if name == self._maker or (row is None and name == _NEW):
                return self._made(types)
        else:
            row = self._index.within(owner[-1], name) if owner else self._index.known(name)
        return self._made([row]) if row and row.kind == "type" else self._signature(row)

    def _made(self, types: list[Row]) -> Found | None:
        """How the first of them is made: by its own function, else of its fields."""
        row = self._index.member(types, self._maker or types[0].name)
        if row and row.kind == "function":
            return self._signature(row)
        first, names = self._names(types)
        fields = ", ".join(name for name in names if not name.endswith("()"))
        brief = cut(f"{self._head(first)} {self._begin}{fields}", LONGEST)
        return _found(first, CALLED, brief) if fields else None

    def _signature(self, row: Row | None) -> Found | None:
        if row is None or "(" not in row.brief:
            return None
        return _found(row, CALLED, cut(_in_a_line(row), LONGEST))

    def _whole(self, types: list[Row]) -> Found:
        """The first of the types with its members, those of its bases and of the other types."""
        first, names = self._names(types)
        head = self._head(first)
        brief = f"{head} {self._begin}{', '.join(names)}" if names else head
        return listed(_found(first, OBJECT, brief), self._about)

    def _names(self, types: list[Row]) -> tuple[Row, list[str]]:
        """The first type that stands in another file, and the members of all such."""
        every = list(self._index.with_bases(types))
        shown = [each for each in every if each.path != self._about.path] or every
        names = [name for each in shown for name in self._inside(each)]
        names += [f"{name}()" for each in shown for name in self._index.outside(each)]
        return shown[0], list(dict.fromkeys(names))

    def _inside(self, row: Row) -> list[str]:
        """Names of members in the type's own text."""
        head, _, names = row.brief.partition(self._begin)
        if self._about.language == "ruby":
            listed = [name for name in names.split(", ") if name.endswith("()")]
            return [*_SYMBOL.findall(" ".join(_ATTRIBUTES.findall(row.text))), *listed]
        if not names and _LIST.search(head):
            return _LISTED.findall(row.text)
        return names.split(", ") if names else []

    def _head(self, row: Row) -> str:
        return row.brief.partition(self._begin)[0].rstrip(" {=&")

    def _module(self, name: str, folders: Sequence[str] = (), of: str = "") -> Found | None:
        """What a module defines; of several with its name that which the file imports."""
        close = partial(self._index.closeness, name, of=of)
        found = self._db.execute(_MODULE, (*self._where, name, self._about.path)).fetchall()
        inside = set(folders) - _ROOTS
        paths = [path for path, *_ in found if inside <= set(path.split("/"))]
        linked_by = partial(linked, "", "", stem=name, about=self._about)
        paths = [path for path in paths if close(path)]
        path = max(paths, key=lambda path: (close(path), linked_by(path=path)), default="")
        rows = [row for row in found if row[0] == path]
        if not rows:
            return None
        module = replace(of_module(rows, OBJECT, self._about), score=OBJECT)
        return listed(module, self._about)


def _keys(row: Row) -> list[str]:
    """Of JavaScript's object that a value is; each stands in a line of its own."""
    first, *lines = row.text.split("\n")
    if row.kind != "value" or not (lines and _LITERAL.search(first)):
        return []
    deep = len(lines[0]) - len(lines[0].lstrip())
    found = (_KEY.match(line, deep) for line in lines if not line[:deep].strip())
    return list(dict.fromkeys(key[1] for key in found if key))


def _named(way: Chain) -> Chain:
    """By a module's name where the way begins with its import."""
    return (module_of(way[1]), *way[2:]) if way[0] == IMPORT else way


def _found(row: Row, score: float, brief: str) -> Found:
    return Found(row.path, row.line, row.text, score, "definition", brief)


def _in_a_line(row: Row) -> str:
    """A signature, all of it; the outline has more lines than the short form."""
    lines = row.brief.split("\n")
    if len(lines) == SHORT:
        lines = [line for line in row.text.split("\n") if not line.lstrip().startswith(_QUOTES)]
    told = " ".join(" ".join(lines).split())
    return _SPACED.sub("", told)
