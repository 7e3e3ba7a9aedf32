"""A document in an editor with Caret: the real `caret lsp` over stdio."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lsprotocol import types

from bench.replay import Cost
from engine import spawn
from lsp_server.demo.client import Editor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bench.ours import Engine
    from bench.sites import Site

SERVER = spawn.python("lsp_server", "lsp")
_POLL_S = 0.1


@asynccontextmanager
async def caret_editor(
    model: str,
    report: Callable[[str], None] = lambda _: None,
    folder: Path | None = None,
    *,
    show_all: bool = True,
) -> AsyncIterator[Editor]:
    """An editor whose language server says that its model is in memory, and `folder` is indexed.

    With `show_all` it shows all that the model writes, as the peers do, for times: what is hidden
    would cost nothing to leave.

    Raises:
        CaretError: the server or its model failed.
    """
    editor = Editor(lambda message, _percent: report(message))
    await editor.start_io(*SERVER, env=spawn.environment(), cwd=spawn.ROOT)
    try:
        await editor.start(model, show_all=show_all, folder=folder)
        await editor.until_ready()
        while folder and (await editor.status())["context"]["files"] is None:
            await asyncio.sleep(_POLL_S)
        yield editor
        await editor.shutdown_async(None)
    finally:
        if not editor.stopped:
            editor.exit(None)
        await editor.stop()  # type: ignore[no-untyped-call]  # pygls forgot its annotation


class CaretDocument:
    """See `bench.replay.Document`."""

    def __init__(self, editor: Editor, engine: Engine, site: Site) -> None:
        self._editor, self._engine = editor, engine
        self._uri = site.file.resolve().as_uri()
        self._text, self._version = site.before + site.after, 1
        self._calls = self._prompt = self._evaluated = 0.0
        item = types.TextDocumentItem(self._uri, site.language, self._version, self._text)
        editor.text_document_did_open(types.DidOpenTextDocumentParams(item))

    async def insert(self, offset: int, text: str) -> None:
        """Send the change."""
        at = self._position(offset)
        self._text = self._text[:offset] + text + self._text[offset:]
        self._version += 1
        document = types.VersionedTextDocumentIdentifier(version=self._version, uri=self._uri)
        change = types.TextDocumentContentChangePartial(types.Range(at, at), text)
        self._editor.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    async def rest(self, offset: int) -> None:
        """Ask what to highlight at the caret, as editors do where it stops; it says where it is."""
        if self._editor.offers.document_highlight_provider:
            document = types.TextDocumentIdentifier(self._uri)
            await self._editor.text_document_document_highlight_async(
                types.DocumentHighlightParams(document, self._position(offset))
            )

    async def suggestion(self, offset: int) -> str:
        """Ask as an editor does after a key."""
        automatic = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic)
        params = types.InlineCompletionParams(
            automatic, types.TextDocumentIdentifier(self._uri), self._position(offset)
        )
        answer = await self._editor.text_document_inline_completion_async(params)
        items = answer.items if isinstance(answer, types.InlineCompletionList) else answer
        return self._behind_caret(items[0], offset) if items else ""

    def _behind_caret(self, item: types.InlineCompletionItem, offset: int) -> str:
        """The item's text without what it repeats of the caret's line."""
        text = item.insert_text if isinstance(item.insert_text, str) else item.insert_text.value
        if item.range is None:
            return text
        line = self._text.rfind("\n", 0, offset) + 1
        replaced = self._text[line:offset]
        column = _from_utf16(replaced, item.range.start.character)
        typed = replaced[column:]
        return text[len(typed) :] if text.startswith(typed) else ""

    async def cost(self) -> Cost:
        """From the engine's counters."""
        told = await self._engine.settled()
        calls = told.get("caret_requests_started_total", 0.0)
        prompt = told.get("caret_prompt_tokens_total", 0.0)
        evaluated = prompt - told.get("caret_cached_tokens_total", 0.0)
        counted = calls == self._calls or prompt > self._prompt
        cost = Cost(int(calls - self._calls), int(evaluated - self._evaluated) if counted else None)
        self._calls, self._prompt, self._evaluated = calls, prompt, evaluated
        return cost

    async def close(self) -> None:
        """Send it."""
        document = types.TextDocumentIdentifier(self._uri)
        self._editor.text_document_did_close(types.DidCloseTextDocumentParams(document))

    def _position(self, offset: int) -> types.Position:
        line = self._text.count("\n", 0, offset)
        head = self._text[self._text.rfind("\n", 0, offset) + 1 : offset]
        return types.Position(line, len(head.encode("utf-16-le")) // 2)


def _from_utf16(text: str, units: int) -> int:
    """Characters that so many UTF-16 code units hold."""
    return len(text.encode("utf-16-le")[: 2 * units].decode("utf-16-le"))
