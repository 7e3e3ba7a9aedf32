"""Documents whose messages cannot be read: they are forgotten, and the user is told."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.in_process import Client
from tests.pipe import INITIALIZE, notification

pytestmark = pytest.mark.asyncio(loop_scope="module")
URI = "file:///w/a.py"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> Client:
    client = Client()
    await client.say(INITIALIZE, notification("initialized", {}))
    return client


def _changed(change: object) -> dict[str, object]:
    params = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [change]}
    return notification("textDocument/didChange", params)


async def test_a_document_is_forgotten_whose_change_cannot_be_read(client: Client) -> None:
    """A suggestion in a text that is out of date would be put in at a wrong place."""
    item = {"uri": URI, "languageId": "python", "version": 1, "text": "abcd"}
    without_text = {"range": {"start": {"line": 0, "character": 0}}}
    start = {"line": 0, "character": -1}
    negative = {"range": {"start": start, "end": start}, "text": "X"}
    for odd in (_changed(without_text), _changed(negative)):
        await client.say(notification("textDocument/didOpen", {"textDocument": item}))
        assert URI in client.protocol.documents
        client.sent.clear()
        await client.say(odd, odd)
        assert URI not in client.protocol.documents
        told = [each["params"].get("message", "") for each in client.sent]
        # Other messages come when they please: what the engine says when it starts, or cannot.
        assert [each for each in told if "cannot be read" in each] == [
            "Caret: a change of /w/a.py cannot be read. Close the file and open it again."
        ]


async def test_a_notebook_is_forgotten_whose_change_cannot_be_read(client: Client) -> None:
    book = {"uri": "file:///w/n.ipynb", "version": 1}
    cell = {"uri": "cell:1", "languageId": "python", "version": 1, "text": "x"}
    kept = book | {"notebookType": "j", "cells": [{"kind": 2, "document": "cell:1"}]}
    opened = {"notebookDocument": kept, "cellTextDocuments": [cell]}
    await client.say(notification("notebookDocument/didOpen", opened))
    assert client.protocol.documents["cell:1"].version == 1  # commands tell it
    array = {"array": {"start": 0, "deleteCount": "all"}}
    odd = {"notebookDocument": book, "change": {"cells": {"structure": array}}}
    await client.say(notification("notebookDocument/didChange", odd))
    assert "cell:1" not in client.protocol.documents
