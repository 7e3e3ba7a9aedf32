"""Nothing of a file that is kept out gets into a prompt: its own, or another document's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from engine import lockfile

if TYPE_CHECKING:
    from tests.editor import Editor, StartEditor

pytestmark = pytest.mark.asyncio(loop_scope="module")
SMALL = "qwen2.5-coder-0.5b"
MODEL = {
    "fim": {"model": SMALL},
    "instruct": {"model": SMALL, "maxTokens": 16},
    "completion": {"readAhead": False, "maxTokens": 4},
}
MAIN = "from rates import vat_rate\n\n\ndef price(net):\n    return net * vat_rate()\n"
RATES = 'def vat_rate():\n    """Of all goods but books."""\n    return 0.19\n'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(start: StartEditor, tmp_path_factory: pytest.TempPathFactory) -> Editor:
    workspace = tmp_path_factory.mktemp("workspace")
    (workspace / ".gitignore").write_text("made/\n")
    (workspace / ".caretignore").write_text("private/\n")
    return await start(MODEL, folder=workspace, deadline_s=120)


def asked(uri: str) -> dict[str, object]:
    at = {"line": 4, "character": 4}
    return {"textDocument": {"uri": uri}, "range": {"start": at, "end": at}, "instruction": "How?"}


async def prompt_tokens() -> float:
    address = lockfile.read_address()
    assert address is not None
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{address.url}/metrics", headers=address.headers)
    found = re.findall(r"^caret_prompt_tokens_total(?:{.*})? (\S+)$", answer.text, re.MULTILINE)
    return sum(map(float, found))


async def read_for(editor: Editor, uri: str) -> float:
    """Tokens of the prompt that explains a document."""
    before = await prompt_tokens()
    await editor.ask_caret("explain", asked(uri))
    return await prompt_tokens() - before


@pytest.mark.parametrize("name", [".env", "keys/id.pem", "private/rates.py"])
@pytest.mark.parametrize("command", ["explain", "fix", "generate", "debug"])
async def test_a_document_that_is_kept_out_is_refused(
    editor: Editor, name: str, command: str
) -> None:
    uri = editor.open(MAIN, name)
    before = await prompt_tokens()
    with pytest.raises(JsonRpcException, match="No model may read this document"):
        await editor.ask_caret(command, asked(uri) | {"text": "Error"})
    assert await prompt_tokens() == before
    editor.close(uri)


async def test_tabs_that_are_kept_out_are_read_for_no_other_document(editor: Editor) -> None:
    main = editor.open(MAIN, "main.py")
    alone = await read_for(editor, main)
    read: dict[str, float] = {}
    for name in (".env.py", "made/rates.py", "private/rates.py", "rates.py"):
        tab = editor.open("", name)
        start = types.Position(0, 0)
        typed = types.Range(start, start)
        editor.change(tab, types.TextDocumentContentChangePartial(text=RATES, range=typed))
        other = editor.open(MAIN, f"{len(read)}.py")
        await editor.items(other, 4, 11, invoked=True)  # the index is told of what was edited
        editor.close(other)
        read[name] = await read_for(editor, main) - alone
        editor.close(tab)
    assert read.pop("rates.py") > 10
    assert set(read.values()) == {0}
