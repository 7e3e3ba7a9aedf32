"""A second language server, python-lsp-server, which finds faults as it would beside Caret."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

DEADLINE_S = 60.0


class Other:
    """Its client."""

    def __init__(self, client: LanguageClient) -> None:
        self._client = client
        self._version = 0

    async def diagnostics(self, uri: str, text: str) -> list[types.Diagnostic]:
        """What it finds in a text, of the kind that pyflakes does."""
        self._version += 1
        self._client.diagnostics.pop(uri, None)
        item = types.TextDocumentItem(uri, "python", self._version, text)
        self._client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        async with asyncio.timeout(DEADLINE_S):
            while uri not in self._client.diagnostics:
                await asyncio.sleep(0.02)
        document = types.TextDocumentIdentifier(uri)
        found = [d for d in self._client.diagnostics[uri] if d.source == "pyflakes"]
        self._client.text_document_did_close(types.DidCloseTextDocumentParams(document))
        return found


@asynccontextmanager
async def another_server(folder: Path) -> AsyncIterator[Other]:
    """python-lsp-server over stdio, for a folder."""
    config = ClientServerConfig([sys.executable, "-m", "pylsp"])
    client = await config.start()
    assert isinstance(client, LanguageClient)
    await client.initialize_session(
        types.InitializeParams(types.ClientCapabilities(), root_uri=folder.as_uri())
    )
    yield Other(client)
    await client.shutdown_session()
    await client.stop()  # type: ignore[no-untyped-call]  # pytest-lsp's
