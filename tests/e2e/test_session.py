"""Editors, servers, one engine and a real model (Qwen2.5-Coder-0.5B) in whole sessions."""

from __future__ import annotations

import asyncio
import os
import signal
from random import Random
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from engine import lockfile
from tests.torture import keys, kills

if TYPE_CHECKING:
    from pathlib import Path

    from engine.lockfile import Address
    from tests.editor import Editor, StartEditor

pytestmark = pytest.mark.asyncio(loop_scope="module")
SMALL = {"fim": {"model": "qwen2.5-coder-0.5b"}}
LOADING_S = 120.0
AREA = '''def area(width: float, height: float) -> float:
    """The area of a rectangle."""
    ret


print(area(2, 3))
'''
STORY = '"""Everything about the history of rail transport, in a hundred paragraphs.\n\n'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(start: StartEditor) -> Editor:
    return await start(SMALL, deadline_s=LOADING_S)


def _address() -> Address:
    address = lockfile.read_address()
    assert address is not None
    return address


async def _open_requests() -> int:
    address = _address()
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{address.url}/metrics", headers=address.headers)
    lines = [x for x in answer.text.splitlines() if x.startswith("caret_queue_depth")]
    return sum(int(float(line.split()[-1])) for line in lines)


async def _tokens() -> tuple[int, int]:
    """Of all prompts so far, and those of them that were found in the cache; of one moment."""
    address = _address()
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{address.url}/metrics", headers=address.headers)

    def total(kind: str) -> int:
        lines = [x for x in answer.text.splitlines() if x.startswith(f"caret_{kind}_tokens_total")]
        return sum(int(float(line.split()[-1])) for line in lines)

    return total("prompt"), total("cached")


async def _until_prompts_have(tokens: int) -> tuple[int, int]:
    async with asyncio.timeout(LOADING_S):
        while (found := await _tokens())[0] < tokens:
            await asyncio.sleep(0.02)
    return found


async def _idle() -> None:
    async with asyncio.timeout(LOADING_S):
        while await _open_requests():
            await asyncio.sleep(0.02)


async def test_completes_the_word_at_the_caret(editor: Editor) -> None:
    uri = editor.open(AREA, "area.py")
    [item, *_] = await editor.items(uri, 2, 7, invoked=True)
    assert item.insert_text == "return width * height"
    assert item.range == types.Range(types.Position(2, 4), types.Position(2, 7))


async def test_completes_after_edits_with_crlf_and_emoji(editor: Editor) -> None:
    uri = editor.open(AREA.replace("\n", "\r\n").replace("area of", "🟦 of"), "crlf.py")
    end = types.Position(2, 7)
    urn = types.TextDocumentContentChangePartial(text="urn wi", range=types.Range(end, end))
    editor.change(uri, urn)
    [text, *_] = await editor.texts(uri, 2, 13)
    assert text == "width * height"


async def test_several_suggestions_when_asked_by_hand(editor: Editor) -> None:
    uri = editor.open("import random\n\n\ndef roll() -> int:\n    # a creative ", "roll.py")
    texts = await editor.texts(uri, 4, 17, invoked=True)
    assert len(texts) == len(set(texts)) >= 1


async def test_ten_requests_at_once_bring_one_answer(editor: Editor) -> None:
    uri = editor.open(AREA, "burst.py")
    futures = [asyncio.wrap_future(editor.ask(uri, 2, 7)) for _ in range(10)]
    answers = [len(answer.items) for answer in await asyncio.gather(*futures)]
    assert answers[:9] == [0] * 9
    assert answers[9] == 1
    await _idle()


async def test_a_cancelled_request_leaves_the_engine_idle(editor: Editor) -> None:
    uri = editor.open(STORY, "story.py")
    future = editor.ask(uri, 2, 0, invoked=True)
    async with asyncio.timeout(60):
        while not await _open_requests():
            await asyncio.sleep(0.01)
    editor.cancel(future)
    with pytest.raises(JsonRpcException) as raised:
        await asyncio.wrap_future(future)
    assert raised.value.code == types.LSPErrorCodes.RequestCancelled
    await _idle()
    assert await editor.texts(editor.open(AREA, "after.py"), 2, 7)


async def test_where_the_caret_rests_is_read_ahead(editor: Editor) -> None:
    text = "".join(f"value_{n} = {n}\n" for n in range(60)) + AREA
    document = types.TextDocumentIdentifier(editor.open(text, "ahead.py"))
    await _idle()
    read, _ = await _tokens()
    place = types.DocumentHighlightParams(document, types.Position(62, 7))
    assert await editor.text_document_document_highlight_async(place) is None
    read, cached = await _until_prompts_have(read + 400)
    assert await editor.texts(document.uri, 62, 7) == ["return width * height"]
    read_then, cached_then = await _until_prompts_have(read + 400)
    assert read_then - read - (cached_then - cached) == 1


async def test_two_editors_share_one_engine(editor: Editor, start: StartEditor) -> None:
    first = _address()
    other = await start(SMALL, kind="visual_studio_code", deadline_s=LOADING_S)
    texts = await asyncio.gather(
        editor.texts(editor.open(AREA, "one.py"), 2, 7),
        other.texts(other.open(AREA, "two.py"), 2, 7),
    )
    assert texts[0] == texts[1] == ["return width * height"]
    assert _address() == first
    resident = psutil.Process(first.pid).memory_info().rss
    assert resident < 2 * 1024**3


async def test_a_killed_engine_comes_back(editor: Editor) -> None:
    before = _address()
    uri = editor.open(STORY, "killed.py")
    inflight = asyncio.wrap_future(editor.ask(uri, 2, 0))
    async with asyncio.timeout(60):
        while not await _open_requests():
            await asyncio.sleep(0.01)
    os.kill(before.pid, signal.SIGKILL)
    assert (await inflight).items == ()
    assert "error" in editor.states
    texts = await editor.texts(editor.open(AREA, "back.py"), 2, 7, invoked=True)
    assert texts[0] == "return width * height"
    assert _address().pid != before.pid
    assert editor.states[-1] == "ready"


async def test_no_kill_loses_a_request_or_half_of_an_edit(
    start: StartEditor, tmp_path: Path
) -> None:
    """The short form of a row of `make torture`."""
    (tmp_path / "a.py").write_text("def of_a(): pass\n")
    editor, work = await start(kills.Editing.options, folder=tmp_path), kills.Editing()
    await kills.indexed(editor)
    whole = await work.do(editor)
    engine, index = kills.Kills(kills.ENGINE), kills.Kills(kills.INDEX)
    await index.disturb(editor, work, whole, 0.2)
    await engine.disturb(editor, work, whole, 0.4)
    assert [*engine.off, *index.off, *await kills.restored(editor, 1)] == []
    assert len(engine.next) == len(index.next) == 1


async def test_what_is_typed_gets_no_stale_suggestion(editor: Editor) -> None:
    """The short form of a row of `make torture`."""
    seen = keys.Seen()
    await keys.type_for(2, [keys.Document(editor, 0, Random(1), seen)])
    assert await keys.all_answered(seen) == 0
    assert (seen.keys, seen.stale) == (16, [])


async def test_a_model_that_cannot_infill_is_refused_in_words(start: StartEditor) -> None:
    editor = await start({"fim": {"model": "codellama-34b"}}, until="error")
    assert "codellama-34b cannot fill in the middle" in editor.statuses[-1].message
    assert await editor.texts(editor.open(AREA, "refused.py"), 2, 7) == []
