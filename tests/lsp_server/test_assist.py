"""Commands that a model elsewhere answers: a real session and real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pygls.exceptions import JsonRpcException

from tests.command import SHOP

if TYPE_CHECKING:
    from pathlib import Path

    from tests.editor import StartEditor
    from tests.lsp_server.conftest import ModelServer

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIXED = SHOP.replace("result = price", "result += price")


async def test_a_server_elsewhere_explains_fixes_and_fails_in_words(
    start_editor: StartEditor, model: ModelServer
) -> None:
    remote = {"instruct": {"endpoint": model.url, "model": "big"}}
    editor = await start_editor(remote | {"completion": {"enable": False}}, until="off")
    uri = editor.open(SHOP, "shop.py")
    at = {"line": 3, "character": 0}
    argument = {"textDocument": {"uri": uri}, "range": {"start": at, "end": at}}

    model.answer = lambda _: ["It forgets ", "all but the last."]
    answer = await editor.ask_caret("explain", argument | {"partialResultToken": "one"})
    assert answer.text == "".join(editor.parts["one"]) == "It forgets all but the last."
    (request,) = model.requests
    assert request["model"] == "big"
    assert "result = price" in request["messages"][-1]["content"]

    model.answer = lambda _: [f"```python\n{FIXED}```\n"]
    fixed = await editor.ask_caret("fix", argument | {"instruction": "It must add up."})
    assert fixed.applied
    assert editor.texts_of[uri] == FIXED

    model.status = 500
    with pytest.raises(JsonRpcException, match="the model is on fire"):
        await editor.ask_caret("explain", argument)


async def test_tests_go_to_the_text_in_the_editor_however_it_spells_the_path(
    start_editor: StartEditor, model: ModelServer, tmp_path: Path
) -> None:
    """Not to what is on disk: the file has unsaved changes."""
    folder = tmp_path / "c++ (@2)"
    (folder / "tests").mkdir(parents=True)
    (folder / "shop.py").write_text(SHOP)
    (folder / "tests" / "test_shop.py").write_text("import old\n")
    remote = {"instruct": {"endpoint": model.url, "model": "big"}}
    settings = remote | {"completion": {"enable": False}}
    editor = await start_editor(settings, until="off", folder=folder)
    unsaved = "import pytest\nfrom shop import total\n"
    tests = editor.open(unsaved, "tests/test_shop.py")
    uri = editor.open(SHOP, "shop.py")
    at = {"line": 3, "character": 0}
    argument = {"textDocument": {"uri": uri}, "range": {"start": at, "end": at}}
    model.answer = lambda _: ["```python\ndef test_total():\n    assert total([]) == 0\n```\n"]
    answer = await editor.ask_caret("test", argument)
    assert answer.applied
    assert editor.texts_of[tests].startswith(unsaved)
    assert "def test_total" in editor.texts_of[tests]
