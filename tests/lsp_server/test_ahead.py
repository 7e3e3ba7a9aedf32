"""Where the caret rests, the model reads, once it has rested; never while it is needed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from lsprotocol import types

from lsp_server import ahead
from lsp_server.ahead import Ahead
from lsp_server.carets import end_of_change

if TYPE_CHECKING:
    from lsp_server.documents import Encoding

HERE, THERE = types.Position(1, 2), types.Position(30, 4)


class Reader:
    """Notes where it is to read, and goes on until it is stopped."""

    def __init__(self) -> None:
        self.places: list[types.Position] = []
        self.stopped = asyncio.Event()
        self.started = asyncio.Event()
        self.ahead = Ahead(self.read)

    async def read(self, document: str, position: types.Position) -> None:
        assert document == "a"
        self.places.append(position)
        self.started.set()
        try:
            await asyncio.sleep(60)
        finally:
            self.stopped.set()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "REST_S", 0.01)


async def test_it_reads_at_the_last_place() -> None:
    reader = Reader()
    reader.ahead.rest("a", HERE)
    reader.ahead.rest("a", THERE)
    await reader.started.wait()
    assert reader.places == [THERE]


async def test_it_stops_when_the_model_is_needed() -> None:
    reader = Reader()
    reader.ahead.rest("a", HERE)
    await reader.started.wait()
    reader.ahead.stop()
    await reader.stopped.wait()
    reader.ahead.rest("a", THERE)
    reader.ahead.stop()
    reader.ahead.resume()
    await asyncio.sleep(0)
    assert reader.places == [HERE, THERE]


async def test_a_closed_document_is_not_read() -> None:
    reader = Reader()
    reader.ahead.rest("a", HERE)
    reader.ahead.forget("b")
    reader.ahead.forget("a")
    reader.ahead.resume()
    await asyncio.sleep(0.05)
    assert reader.places == []


@pytest.mark.parametrize(
    ("text", "encoding", "end"),
    [
        ("", "utf-16", (3, 5)),
        ("ab", "utf-16", (3, 7)),
        ("é😀", "utf-16", (3, 8)),
        ("a\n  b", "utf-8", (4, 3)),
        ("é\r\né", "utf-8", (4, 2)),
        ("x\n", "utf-32", (4, 0)),
    ],
)
def test_where_a_change_ends(text: str, encoding: Encoding, end: tuple[int, int]) -> None:
    span = types.Range(types.Position(3, 5), types.Position(9, 1))
    change = types.TextDocumentContentChangePartial(range=span, text=text)
    assert end_of_change(change, encoding) == types.Position(*end)
