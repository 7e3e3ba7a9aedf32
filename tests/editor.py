"""An editor's end of the real server over stdio; shared by the tests of the server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types
from pygls.protocol import default_converter
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES, register_lsp_features

from tests.command import CARET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from concurrent.futures import Future
    from pathlib import Path

DEADLINE_S = 60.0


class Editor(LanguageClient):
    """A client that remembers `caret/status`, with what tests do again and again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.statuses: list[Any] = []
        self.folder = "/work"
        self.feature("caret/status")(lambda params: self.statuses.append(params))
        self.parts: dict[Any, list[str]] = {}
        """Token to the text that came by `$/progress`."""
        self.bars: dict[Any, list[str]] = {}
        """Token to the kinds of its progress, such as begin."""
        self.asked: list[types.ShowMessageRequestParams] = []
        self.choice = ""
        """Title of the action that is chosen when asked; none where there is no such action."""
        self.applied: list[types.WorkspaceEdit] = []
        self.texts_of: dict[str, str] = {}
        """URI to the text of a document, as it was opened and edited by the server."""

    @property
    def states(self) -> list[str]:
        return [status.state for status in self.statuses]

    def open(self, text: str, name: str = "a.py", language: str = "python") -> str:
        """Open a document anew; one of this name that is open is closed first."""
        uri = f"file://{self.folder}/{name}"
        self.close(uri)
        self.texts_of[uri] = text
        item = types.TextDocumentItem(uri, language, 1, text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def close(self, uri: str) -> None:
        document = types.TextDocumentIdentifier(uri)
        self.text_document_did_close(types.DidCloseTextDocumentParams(document))

    def change(self, uri: str, *changes: types.TextDocumentContentChangeEvent) -> None:
        document = types.VersionedTextDocumentIdentifier(version=2, uri=uri)
        self.text_document_did_change(types.DidChangeTextDocumentParams(document, changes))

    def ask(self, uri: str, line: int, character: int, *, invoked: bool = False) -> Future[Any]:
        kind = types.InlineCompletionTriggerKind
        context = types.InlineCompletionContext(kind.Invoked if invoked else kind.Automatic)
        document, position = types.TextDocumentIdentifier(uri), types.Position(line, character)
        params = types.InlineCompletionParams(context, document, position)
        return self.text_document_inline_completion(params)

    def cancel(self, future: Future[Any]) -> None:
        pending = self.protocol._request_futures
        asked = next(key for key, value in pending.items() if value is future)
        self.cancel_request(types.CancelParams(id=str(asked)))

    async def items(
        self, uri: str, line: int, character: int, *, invoked: bool = False
    ) -> list[types.InlineCompletionItem]:
        answer = await asyncio.wrap_future(self.ask(uri, line, character, invoked=invoked))
        assert isinstance(answer, types.InlineCompletionList)
        return list(answer.items)

    async def texts(
        self, uri: str, line: int, character: int, *, invoked: bool = False
    ) -> list[str]:
        items = await self.items(uri, line, character, invoked=invoked)
        return [str(item.insert_text) for item in items]

    async def command(self, name: str) -> Any:
        return await self.workspace_execute_command_async(types.ExecuteCommandParams(name))

    def send_caret(self, name: str, argument: dict[str, Any], token: str | None = None) -> Any:
        """Give one of the commands that the instruct model answers."""
        params = types.ExecuteCommandParams(f"caret.{name}", [argument], work_done_token=token)
        return self.workspace_execute_command(params)

    async def ask_caret(self, name: str, argument: dict[str, Any]) -> Any:
        return SimpleNamespace(**await asyncio.wrap_future(self.send_caret(name, argument)))

    async def actions(
        self,
        uri: str,
        at: types.Range,
        diagnostics: list[types.Diagnostic],
        only: list[types.CodeActionKind | str] | None = None,
    ) -> list[Any]:
        """lsprotocol reads those with a command as a `Command`: only their titles are right."""
        context = types.CodeActionContext(diagnostics, only)
        params = types.CodeActionParams(types.TextDocumentIdentifier(uri), at, context)
        return list(await self.text_document_code_action_async(params) or ())

    def progressed(self, params: types.ProgressParams) -> None:
        value: Any = params.value
        kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
        if kind:
            self.bars.setdefault(params.token, []).append(kind)
            return
        text = value["text"] if isinstance(value, dict) else value.text
        self.parts.setdefault(params.token, []).append(text)

    def choose(self, params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
        self.asked.append(params)
        return next((item for item in params.actions or () if item.title == self.choice), None)

    def edit(self, params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        """As an editor does."""
        self.applied.append(params.edit)
        changes = dict(params.edit.changes or {})
        for change in params.edit.document_changes or ():
            if isinstance(change, types.TextDocumentEdit):
                changes[change.text_document.uri] = change.edits  # type: ignore[assignment]  # no snippets
        for uri, edits in changes.items():
            lines = self.texts_of.get(uri, "").split("\n")
            for edit in reversed(edits):
                lines = _edited(lines, edit)
            self.texts_of[uri] = "\n".join(lines)
        return types.ApplyWorkspaceEditResult(applied=True)

    async def until(self, condition: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
        async with asyncio.timeout(deadline_s):
            while not condition():
                await asyncio.sleep(0.01)


def _edited(lines: list[str], edit: types.TextEdit) -> list[str]:
    """Text in ASCII, of which all encodings count alike."""
    start, end = edit.range.start, edit.range.end
    rest = lines[end.line][end.character :] if end.line < len(lines) else ""
    middle = lines[start.line][: start.character] + edit.new_text + rest
    return [*lines[: start.line], *middle.split("\n"), *lines[end.line + 1 :]]


def _editor() -> Editor:
    editor = Editor(converter_factory=default_converter)
    features = dict(DEFAULT_CLIENT_FEATURES)
    features[types.PROGRESS] = lambda params: editor.progressed(params)
    features[types.WINDOW_SHOW_MESSAGE_REQUEST] = lambda params: editor.choose(params)
    features[types.WORKSPACE_APPLY_EDIT] = lambda params: editor.edit(params)
    register_lsp_features(editor, features)
    return editor


class StartEditor:
    """Starts editors of the kinds that pytest-lsp knows, each with its server."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._started: list[Editor] = []

    async def __call__(
        self,
        options: object = None,
        *,
        kind: str = "neovim@v0.11.0",
        ghost_text: bool = True,
        configuration: dict[str, Any] | None = None,
        asks: bool = True,
        folder: Path | None = None,
        until: str | None = "ready",
        choice: str = "",
        deadline_s: float = DEADLINE_S,
    ) -> Editor:
        """A session with `options` as initializationOptions, once `caret/status` says `until`.

        `folder` is the workspace's, if there is one.
        """
        config = ClientServerConfig([CARET, "lsp"], _editor, self._environment)
        editor = cast(Editor, await config.start())
        editor.choice = choice
        self._started.append(editor)
        capabilities = client_capabilities(kind)
        assert capabilities.text_document
        if ghost_text:
            ghost = types.InlineCompletionClientCapabilities()
            capabilities.text_document.inline_completion = ghost
        assert capabilities.workspace
        capabilities.workspace.configuration = asks
        if configuration is not None:
            editor.set_configuration({"caret": configuration})
        folders = None
        if folder:
            editor.folder = folder.as_posix()
            folders = [types.WorkspaceFolder(folder.as_uri(), folder.name)]
        await editor.initialize_session(
            types.InitializeParams(
                capabilities, initialization_options=options, workspace_folders=folders
            )
        )
        if until:
            await editor.until(lambda: until in editor.states, deadline_s)
        return editor

    async def close(self) -> None:
        """Shut all of them down; their servers must end well."""
        for editor in self._started:
            await editor.shutdown_session()
            await editor.stop()  # type: ignore[no-untyped-call]  # pytest-lsp's


@asynccontextmanager
async def editors(environment: dict[str, str]) -> AsyncIterator[StartEditor]:
    """Editors with servers in `environment`, closed at the end."""
    start = StartEditor(environment)
    yield start
    await start.close()
