"""Values of the protocol as clients write them that deviate from it."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import types

from lsp_server.incoming import converter
from lsp_server.leniency import read

CONVERTER = converter()
AT = {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 5}}
FOUND = {"range": AT, "message": "undefined name"}
CARET = {"textDocument": {"uri": "file:///a.py"}, "position": AT["start"]}


@pytest.mark.parametrize(
    ("odd", "messages"),
    [
        ([FOUND | {"severity": 5}], ["undefined name"]),
        ([FOUND | {"severity": "error", "tags": [9]}], ["undefined name"]),
        ([FOUND | {"codeDescription": {}, "source": 7}], ["undefined name"]),
        ([FOUND | {"relatedInformation": [{"message": "x"}]}], ["undefined name"]),
        ([FOUND | {"message": {"kind": "markdown", "value": "**x**"}}], ["**x**"]),
        ([FOUND | {"message": None}, FOUND, {"range": AT}, 7], ["undefined name"]),
        ([FOUND | {"range": {"start": {"line": -1, "character": 0}}}, FOUND], ["undefined name"]),
        ([FOUND | {"range": AT | {"end": {"line": 2**32, "character": 0}}}], ["undefined name"]),
        (None, []),
    ],
)
def test_diagnostics_of_other_servers(odd: object, messages: list[str]) -> None:
    """Code actions are there, whatever another server says of the same line."""
    context = {"diagnostics": odd, "triggerKind": 0, "only": None}
    params = {"textDocument": CARET["textDocument"], "range": AT, "context": context}
    found = read(params, types.CodeActionParams, CONVERTER)
    assert [each.message for each in found.context.diagnostics] == messages


@pytest.mark.parametrize("context", [None, {}, {"triggerKind": 0}, {"triggerKind": "Invoked"}])
def test_who_does_not_say_why_has_not_asked_by_hand(context: object) -> None:
    found = read(CARET | {"context": context}, types.InlineCompletionParams, CONVERTER)
    assert found.context.trigger_kind == types.InlineCompletionTriggerKind.Automatic


@pytest.mark.parametrize("item", [{}, {"version": None}, {"version": "new", "languageId": None}])
def test_a_document_without_a_version_or_a_language(item: dict[str, Any]) -> None:
    document = {"textDocument": {"uri": "file:///a.py", "text": "x"} | item}
    found = read(document, types.DidOpenTextDocumentParams, CONVERTER, whole=True)
    assert (found.text_document.text, found.text_document.version) == ("x", 0)


def test_a_range_that_is_null_means_the_whole_document() -> None:
    change = {"text": "new", "range": None, "rangeLength": None}
    params = {"textDocument": {"uri": "file:///a.py"}, "contentChanges": [change]}
    found = read(params, types.DidChangeTextDocumentParams, CONVERTER, whole=True)
    assert [*found.content_changes] == [types.TextDocumentContentChangeWholeDocument("new")]


@pytest.mark.parametrize(
    "odd",
    [{"text": None}, {"text": None, "range": AT}, {"range": AT}, {"text": "x", "range": {}}, 7],
)
def test_no_change_is_left_out_of_several(odd: object) -> None:
    changes = [{"text": "a"}, odd, {"text": "b"}]
    document = {"uri": "file:///a.py", "version": 2}
    params = {"textDocument": document, "contentChanges": changes}
    with pytest.raises(Exception):  # noqa: B017 - any of attrs' and cattrs'
        read(params, types.DidChangeTextDocumentParams, CONVERTER, whole=True)


@pytest.mark.parametrize(
    "odd", [{"executionSummary": {"success": True}}, {"kind": None}, {"metadata": None}]
)
def test_what_a_notebook_says_beside_its_texts(odd: dict[str, Any]) -> None:
    cells = [{"kind": 2, "document": "cell:1"} | odd]
    text = {"uri": "cell:1", "languageId": "python", "version": 1, "text": "x"}
    params = {"notebookDocument": {"uri": "n:1", "cells": cells}, "cellTextDocuments": [text]}
    found = read(params, types.DidOpenNotebookDocumentParams, CONVERTER, whole=True)
    assert [each.document for each in found.notebook_document.cells] == ["cell:1"]


def test_no_cells_of_a_notebook_are_left_out() -> None:
    cells = {"structure": {"array": {"start": 0, "deleteCount": "all"}}}
    params = {"notebookDocument": {"uri": "n:1", "version": 2}, "change": {"cells": cells}}
    with pytest.raises(Exception):  # noqa: B017 - any of attrs' and cattrs'
        read(params, types.DidChangeNotebookDocumentParams, CONVERTER, whole=True)


@pytest.mark.parametrize(
    ("event", "added"),
    [
        ({"added": [{"uri": "file:///w"}], "removed": None}, ["file:///w"]),
        ({"removed": [{"uri": "file:///w", "name": None}]}, []),
    ],
)
def test_folders_that_come_and_go(event: dict[str, Any], added: list[str]) -> None:
    kind = types.DidChangeWorkspaceFoldersParams
    found = read({"event": event}, kind, CONVERTER, whole=True)
    assert [folder.uri for folder in found.event.added] == added


@pytest.mark.parametrize("message", [{}, {"params": None}, {"params": {}}])
def test_settings_that_changed_without_a_word_which(message: dict[str, Any]) -> None:
    method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
    kind = types.DidChangeConfigurationNotification
    found = read({"jsonrpc": "2.0", "method": method} | message, kind, CONVERTER, whole=True)
    assert found.params.settings is None


def test_a_range_that_may_be_missing() -> None:
    """Arguments of commands have such a range."""
    end = {"line": 2**40, "character": 0}
    found = read({"start": AT["start"], "end": end}, types.Range | None, CONVERTER)
    assert found.end.line == 2**31 - 1


def test_of_many_items_few_are_mended() -> None:
    odd = [FOUND | {"severity": 5}] * 500
    found = read([*odd, FOUND], list[types.Diagnostic], CONVERTER)
    assert len(found) == 101
