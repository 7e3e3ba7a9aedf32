"""Ways through the index: from a type to what its member gives, and to its bases."""

from __future__ import annotations

import builtins
import re
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from lsp_server.workspace.origins import closeness
from lsp_server.workspace.ranking import known, linked
from lsp_server.workspace.told import Told

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from lsp_server.workspace.declared import Chain
    from lsp_server.workspace.wanted import Wanted

QUERIES = 128
"""For one caret, at most; what would need more is not found."""
_DEEP = 3
"""Steps from a type to a base of its bases, or from a function to what its result stands for."""
_SELF = frozenset(["Self", "self", "static", "this"])
"""What says that a member gives its own type."""
_SAME = frozenset(
    """
    new get pop values items first last next at copy clone iter iter_mut into_iter unwrap expect
    lock borrow borrow_mut as_ref as_mut stream await find filter sorted reversed current entries
    rev skip take enumerate cloned copied collect ok ok_or read write unwrap_or unwrap_or_else
    unwrap_or_default peek poll remove toList findFirst findAny orElse orElseThrow getFirst getLast
    First FirstOrDefault Single SingleOrDefault Last LastOrDefault Where OrderBy OrderByDescending
    ToList ToArray Value Result front back begin end value top
    """.split()  # noqa: SIM905 - as in `wanted`
)
"""Members of a container that give what is in it, and of a type that give one of it."""
_NAMED = """
SELECT path, line, text, brief, owner, stem, name, definition.kind, gives
FROM definition CROSS JOIN file ON file.id = definition.file
WHERE name = ?3 AND root = ?1 AND language = ?2 AND """
_FREE = f"{_NAMED} (owner = '' OR definition.kind = 'type') LIMIT 64"
_MEMBER = f"{_NAMED} owner = ?4 LIMIT 64"
_OUTSIDE = """
SELECT name, path FROM definition CROSS JOIN file ON file.id = definition.file
WHERE owner = ?3 AND outside AND root = ?1 AND language = ?2 LIMIT 64
"""
"""CROSS JOIN: as in `store`."""
_PART = re.compile(r"\s*+(?:unsafe )?impl\b|[\w ]*\bpartial\b")
"""Begins a part of a type, of which more stands in other files."""


class Row(NamedTuple):
    """A definition."""

    path: str
    line: int
    text: str
    brief: str
    owner: str
    stem: str
    name: str
    kind: str
    gives: str


class Following:
    """For one caret."""

    def __init__(self, db: sqlite3.Connection, root: str, language: str, about: Wanted) -> None:
        self._db, self._where, self._about = db, (root, language), about
        self._asked: dict[tuple[str, ...], list[Row]] = {}
        self._best: dict[tuple[str, str], Row | None] = {}

    def led(self, way: Chain) -> list[Row]:
        """The types at the end of a way."""
        types = self._types([way[0]], self._about.path)
        for before, name in pairwise(way):
            if types:
                types = self._given(types, name)
            else:
                row = self.within(before, name)
                types = self._of(row, _DEEP) if row else []
        return types

    def free(self, name: str, near: str = "") -> Row | None:
        """What a name stands for that is no member; best in the file at `near`."""

        def sure(row: Row) -> tuple[bool, int, float, int]:
            link = linked(row.name, row.owner, row.path, row.stem, self._about)
            folders = PurePosixPath(row.path).parent.parts
            imported = sum(part in self._about.imports for part in folders)
            return row.path == near, self.closeness(name, row.path), link, imported

        if (name, near) not in self._best:
            rows = self._rows(_FREE, name)
            if near == self._about.path:
                own = name not in self._about.origins
                rows = [row for row in rows if self._may_be(row, own=own)]
            self._best[name, near] = max(rows, key=sure, default=None)
        return self._best[name, near]

    def _may_be(self, row: Row, *, own: bool) -> bool:
        """Whether the caret's file may mean a row by its name, which may be its own, or is not."""
        if row.path == self._about.path:
            return own
        is_builtin = own and self._about.language == "python" and hasattr(builtins, row.name)
        return not is_builtin and bool(self.closeness(row.name, row.path))

    def closeness(self, name: str, path: str, of: str = "") -> int:
        """How well a path is that from which the caret's file takes a name; 0 if it is not."""
        of = of or self._about.origins.get(name, "")
        return closeness(of, path, self._about.language, self._where[0]) if of else 1

    def within(self, module: str, name: str) -> Row | None:
        """What a name stands for in a module, or a folder, that the caret's file imports."""
        if module not in self._about.imports:
            return None
        rows = [row for row in self._rows(_FREE, name) if self.closeness(module, row.path)]
        folders = (row for row in rows if module in row.path.split("/")[:-1])
        return next((row for row in rows if row.stem == module), next(folders, None))

    def known(self, name: str) -> Row | None:
        """What a name stands for in the caret's file, if that knows it."""
        row = self.free(name, self._about.path)
        return row if row and known(name, row.path, row.stem, self._about) else None

    def member(self, types: Iterable[Row], name: str) -> Row | None:
        """Of the first of these types that has it, or whose bases do."""
        for each in self.with_bases(types):
            rows = [
                row for row in self._rows(_MEMBER, name, each.name) if self._near(row.path, each)
            ]
            if rows:
                return next((row for row in rows if row.path == each.path), rows[0])
        return None

    def with_bases(self, types: Iterable[Row]) -> Iterator[Row]:
        """Each of them once, the nearest first."""
        ahead, seen = [(each, _DEEP) for each in types], set[tuple[str, int]]()
        while ahead:
            each, deep = ahead.pop(0)
            if (each.path, each.line) not in seen:
                seen.add((each.path, each.line))
                yield each
                bases = self._types(each.gives.split(), each.path, 0) if deep else []
                ahead += [(base, deep - 1) for base in bases]

    def outside(self, owner: Row) -> list[str]:
        """Names of members that stand outside of their type."""
        found = self._db.execute(_OUTSIDE, (*self._where, owner.name))
        return [name for name, path in found if name != owner.name and self._near(path, owner)]

    def _near(self, path: str, owner: Row) -> bool:
        """Whether a type may have members in that file: in Go, if it is in the same package."""
        folders = PurePosixPath(path).parent, PurePosixPath(owner.path).parent
        return self._about.language != "go" or folders[0] == folders[1]

    def _given(self, types: list[Row], name: str) -> list[Row]:
        """The types of a member, which may itself be one."""
        row = self.member(types, name)
        if row and row.kind == "type":
            return self._of(row, 0)
        told, near = self._told(types, row, name)
        same = types if _SELF & set(told) or (name in _SAME and not told) else []
        return [*same, *self._types(told, near)]

    def _told(self, types: list[Row], row: Row | None, name: str) -> tuple[list[str], str]:
        """Names in the declaration of a member, which may be a field, and where it stands."""
        if row:
            return row.gives.split(), row.path
        for each in self.with_bases(types):
            lines = each.text.split("\n")
            outline, numbers = Told(lines, self._about.language), range(len(lines))
            if told := outline.of(f".{name}", numbers) or outline.of(name, numbers):
                return [way[-1] for _, way in told if way], each.path
        return [], ""

    def _types(self, names: Iterable[str], near: str = "", deep: int = _DEEP) -> list[Row]:
        """Types of these names; for functions what they return, for values what they are of."""
        own = near == self._about.path
        rows = (self.known(name) if own else self.free(name, near) for name in names)
        found = [each for row in rows if row for each in self._of(row, deep)]
        return list({(each.path, each.line): each for each in found}.values())

    def _of(self, row: Row, deep: int) -> list[Row]:
        """A type with its parts, or what something else gives."""
        if row.kind == "type":
            parts = self._rows(_FREE, row.name)
            parts = [each for each in parts if (each.kind, each.owner) == ("type", row.owner)]
            whole = {each.path for each in parts if not _PART.match(each.brief)}
            paths = {each.path for each in parts} - whole | {row.path}
            paths |= whole if len(whole) == 1 else set()
            return sorted(
                (each for each in parts if each.path in paths),
                key=lambda each: (each.path not in whole, each.path != row.path),
            )
        return self._types(row.gives.split(), row.path, deep - 1) if deep else []

    def _rows(self, query: str, *names: str) -> list[Row]:
        if (asked := self._asked.get((query, *names))) is not None:
            return asked
        if len(self._asked) == QUERIES:
            return []
        rows = [Row(*row) for row in self._db.execute(query, (*self._where, *names))]
        self._asked[query, *names] = rows
        return rows
