"""Reads values of the protocol that deviate from it a little, as those of some clients do."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cattrs import Converter

_MAX = 2**31 - 1
"""The largest number of the protocol; some clients write larger ones for the end of a line."""
_MOST = 100
"""Items of a list that are mended one by one; commands are read on the event loop."""
_DEFAULTS: dict[str, object] = {
    "added": [],
    "context": {},
    "diagnostics": [],
    "kind": 2,  # of a notebook's cell: code
    "languageId": "",
    "name": "",
    "notebookType": "",
    "params": {},
    "removed": [],
    "settings": None,
    "triggerKind": 2,  # of inline completion: nobody asked for it
    "version": 0,
}
"""Required members that some clients leave out or write otherwise, and what is read instead."""
_TEXTS = ("cells", "structure", "textContent", "didOpen", "didClose")
"""Members that may be missing, but where they are they say what a document is."""


def read(value: object, kind: Any, converter: Converter, *, whole: bool = False) -> Any:  # noqa: ANN401 - of that kind
    """Return a JSON value as lsprotocol has it.

    Where that cannot be read, members count as missing that are null, and numbers that are too
    large are the largest. What cannot be read and may be missing is left out, and so are items of
    lists; but of a change of a document (`whole`) nothing is that says what the document is.

    Raises:
        Exception: it cannot be read; the exception is any that attrs and cattrs have.
    """
    try:
        return converter.structure(value, kind)
    except Exception:  # whatever lsprotocol and cattrs raise
        return converter.structure(_Mender(converter, whole=whole).mended(value, kind), kind)


class _Mender:
    """Leaves out of a value what keeps it from being read."""

    def __init__(self, converter: Converter, *, whole: bool) -> None:
        self._converter, self._whole = converter, whole

    def mended(self, value: Any, kind: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, int | float):
            return min(value, _MAX)
        for each in get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,):
            found = self._parts(value, each)
            if self._reads(found, each):
                return found
        return value

    def _reads(self, value: object, kind: Any) -> bool:  # noqa: ANN401 - a type
        try:
            self._converter.structure(value, kind)
        except Exception:  # whatever lsprotocol and cattrs raise
            return False
        return True

    def _parts(self, value: Any, kind: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, dict) and attrs.has(kind):
            return self._members(value, kind)
        if isinstance(value, dict) and kind is str:
            return value.get("value")  # marked-up text
        if isinstance(value, list) and (of := get_args(kind)):
            return [*self._items(value, of[0])]
        return value

    def _items(self, values: list[Any], kind: Any) -> Iterator[Any]:  # noqa: ANN401 - a type
        room = _MOST
        for value in values:
            if self._reads(value, kind):
                yield value
            elif self._whole or room:
                room -= 1
                found = self.mended(value, kind)
                if self._whole or self._reads(found, kind):
                    yield found

    def _members(self, value: dict[str, Any], kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a type
        kept = {name: each for name, each in value.items() if each is not None}
        for field in attrs.fields(kind):
            name, required = _camel(field.name), field.default is attrs.NOTHING
            if required and name in _DEFAULTS:
                kept.setdefault(name, _DEFAULTS[name])
            if name not in kept:
                continue
            kept[name] = self.mended(kept[name], field.type)
            if self._reads(kept[name], field.type):
                continue
            if required:
                kept[name] = _DEFAULTS.get(name, kept[name])
            elif not (self._whole and name in _TEXTS):
                del kept[name]
        return kept


def _camel(name: str) -> str:
    first, *others = name.strip("_").split("_")
    return "".join([first, *(word.capitalize() for word in others)])
