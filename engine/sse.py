"""Server-sent events as the HTML standard defines them, and as sloppy servers send them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Iterator

DONE = b"[DONE]"
"""The data of the event that ends one of OpenAI's streams."""
MAX_BYTES = 8 << 20
"""A line or an event that is longer is no event."""

_ENDS = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"
_FIELDS = (b"data", b"event", b"id", b"retry")
_FIRST = re.compile(rb"(?:data|event|id|retry)?\s*:|(?:data|event|id|retry)[\r\n]")


@dataclass(frozen=True, slots=True)
class Event:
    """One event, of which `id` and `retry` are left out."""

    name: bytes
    """Empty where the server gives it none."""
    data: bytes


class TooLong(Exception):
    """A line or an event goes on without end."""


def event(data: bytes) -> bytes:
    """Return one event; `data` holds no line break, as JSON never does."""
    return b"data: " + data + b"\n\n"


def may_begin(head: bytes) -> bool | None:
    """Return whether a stream of events may begin with `head`; None while that is open."""
    begun = head.removeprefix(_BOM).lstrip()
    if not begun or _BOM.startswith(head):
        return None
    if _FIRST.match(begun):
        return True
    return None if any(field.startswith(begun.rstrip()) for field in _FIELDS) else False


async def events(chunks: AsyncIterable[bytes]) -> AsyncGenerator[Event, None]:
    """Yield each event; the last one also where the blank line behind it is missing.

    Raises:
        TooLong: It is no stream of events, however it began.
    """
    parser = _Parser()
    async for chunk in chunks:
        for event in parser.feed(chunk):
            yield event
    for event in parser.end():
        yield event


class _Parser:
    """Cuts bytes into events.

    CR, LF or both end a line and nothing else does: JSON may hold U+2028 or U+0085 as they are, at
    which `str.splitlines` (so `httpx.Response.aiter_lines`) would cut too.
    """

    def __init__(self) -> None:
        self._line, self._first, self._after_cr = bytearray(), True, False
        self._name, self._data, self._size = b"", list[bytes](), 0

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Yield the events that end in this chunk."""
        if not chunk:
            return
        rest = chunk[1:] if self._after_cr and chunk.startswith(b"\n") else chunk
        self._after_cr = chunk.endswith(b"\r")
        beginning, *others = _ENDS.split(rest)
        self._line += beginning
        for other in others:
            yield from self._take(bytes(self._line))
            self._line = bytearray(other)
        if len(self._line) > MAX_BYTES:
            raise TooLong

    def end(self) -> Iterator[Event]:
        """Yield what no blank line has ended."""
        yield from self._take(bytes(self._line))
        yield from self._take(b"")

    def _take(self, line: bytes) -> Iterator[Event]:
        if self._first:
            line, self._first = line.removeprefix(_BOM), False
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        # Some servers leave out the blank line between two events.
        anew = field == b"data" and self._is_whole() and value.startswith((b"{", DONE))
        if self._data and (not line or anew):
            yield Event(self._name, b"\n".join(self._data))
            self._name, self._data, self._size = b"", [], 0
        if field == b"data":
            self._data.append(value)
            self._size += len(value)
            if self._size > MAX_BYTES:
                raise TooLong
        elif field == b"event":
            self._name = value

    def _is_whole(self) -> bool:
        return bool(self._data) and self._data[-1].rstrip().endswith(b"}")
