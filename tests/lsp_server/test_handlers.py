"""A request for a suggestion in which a fault arises that nobody foresaw."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from lsprotocol import types

from lsp_server import handlers

URI = "file:///w/a.py"


class _Faulty:
    """A server whose first step towards a suggestion fails."""

    protocol = SimpleNamespace(documents={URI: None})

    async def settled(self, uri: str, **_: bool) -> None:
        raise IndexError(uri)


@pytest.mark.asyncio
async def test_it_suggests_nothing_and_is_logged_without_what_it_quotes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error at each key would be shown at each key."""
    invoked = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked)
    place = types.TextDocumentIdentifier(URI), types.Position(0, 0)
    params = types.InlineCompletionParams(invoked, *place)
    found = await handlers.inline_completion(cast(Any, _Faulty()), params)
    assert not found.items
    assert "IndexError" in caplog.text
    assert "in settled" in caplog.text
    assert URI not in caplog.text
