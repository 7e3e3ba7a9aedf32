"""Commands that a model elsewhere answers: a real session and real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pygls.exceptions import JsonRpcException

from tests.command import SHOP

if TYPE_CHECKING:
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
