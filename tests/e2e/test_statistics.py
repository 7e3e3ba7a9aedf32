"""Scores and statistics of a real model (Qwen2.5-Coder-0.5B), through the real server."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from lsprotocol import types

from engine.api import CompletionRequest, Sampling
from engine.client import EngineClient
from engine.models import find
from lsp_server.backend import Backend
from lsp_server.completion import Completer, Query
from lsp_server.confidence import score
from lsp_server.context import Site
from lsp_server.draft import Draft
from lsp_server.settings import CompletionSettings, FimSettings, Settings
from lsp_server.shape import shape_of
from lsp_server.statistics.store import FILE, Store
from tests.command import caret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.editor import Editor, StartEditor

pytestmark = pytest.mark.asyncio(loop_scope="module")
MODEL = "qwen2.5-coder-0.5b"
LOADING_S = 120.0
HEAD = 'def area(width: float, height: float) -> float:\n    """The area of a rectangle."""\n    '
AREA = Site(HEAD + "ret", "\n\n\nprint(area(2, 3))\n", "python", "area.py")
VAGUE = Site("title = ", "\n", "python", "title.py")
BLOCK = Site("import random\n\n\ndef jabberwocky(x):", "\n", "python", "block.py")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def backend(start: StartEditor) -> AsyncIterator[Backend]:
    """The engine that the editors use; `start` has set where it is."""
    assert start
    backend = Backend(lambda _: None)
    await backend.use(at_least(0))
    async with asyncio.timeout(LOADING_S):
        while not backend.ready:
            await asyncio.sleep(0.1)
    yield backend
    await backend.aclose()


def at_least(confidence: float) -> Settings:
    return Settings(FimSettings(MODEL), completion=CompletionSettings(confidence=confidence))


async def score_of(backend: Backend, site: Site) -> float:
    answer = await Completer(backend).answer(Query(site.path, site, invoked=True), at_least(0))
    assert answer.prediction
    assert answer.prediction.score is not None
    return answer.prediction.score


async def test_the_model_is_surer_of_what_can_be_known(backend: Backend) -> None:
    known, vague = await score_of(backend, AREA), await score_of(backend, VAGUE)
    assert 0 < vague < known <= 1


async def test_the_threshold_hides_unless_asked_by_hand(backend: Backend) -> None:
    sure, query = await score_of(backend, AREA), Query("a", AREA)
    for least, shown in ((sure * 0.99, ["urn width * height"]), ((sure + 1) / 2, [])):
        completer = Completer(backend)
        assert await completer.suggest(query, at_least(least)) == shown
        by_hand = await completer.suggest(replace(query, invoked=True), at_least(least))
        assert by_hand == ["urn width * height"]


async def test_a_doubtful_block_costs_less(backend: Backend) -> None:
    """Given up after its first line, with other tokens decoded and none of them another."""
    costs = []
    for least in (0.0, 1.0):
        completer = Completer(backend)
        texts = await completer.suggest(Query(f"least {least}", BLOCK), at_least(least))
        assert completer.last_usage
        costs.append((len(texts), completer.last_usage.completion_tokens))
    (shown, whole), (hidden, early) = costs
    assert (shown, hidden) == (1, 0)
    assert early < whole


async def test_drafts_do_not_change_the_score(backend: Backend) -> None:
    """Tokens that came several in a pass, against one in each."""
    assert backend.ready  # so that there is an engine, which the client below finds
    plain, drafted = [await _drafted(speculate) for speculate in (False, True)]
    assert plain.usage.accepted_tokens == 0
    assert drafted.usage.accepted_tokens > 0
    same = drafted.tokens[: len(plain.tokens)]  # the last pass may have given more
    assert [token.text for token in same] == [token.text for token in plain.tokens]
    scores = [token.logprob for token in plain.tokens]
    assert [token.logprob for token in same] == pytest.approx(scores, abs=0.01)
    scores_of_all = [score(draft.tokens, draft.text()) for draft in (plain, drafted)]
    assert scores_of_all[0] == pytest.approx(scores_of_all[1], rel=0.01)


async def _drafted(speculate: bool) -> Draft:
    # The suffix says it already: drafts are found there.
    site = replace(AREA, suffix="\n\n\ndef size(width, height):\n    return width * height\n")
    draft, model = Draft(site, shape_of(site, "auto")), find(MODEL).name
    sampling = Sampling(speculate=speculate)
    request = CompletionRequest(model, site.prefix, site.suffix, 32, sampling=sampling)
    client = EngineClient()
    async with aclosing(client.complete(request)) as pieces:
        async for piece in pieces:
            if draft.add(piece):
                break
    await client.aclose()
    return draft


class User:
    """What an editor's user does with suggestions in one document."""

    def __init__(self, editor: Editor, name: str) -> None:
        self.editor = editor
        self.uri = editor.open(AREA.prefix + AREA.suffix, name)
        self.column = 7

    async def item(self, *, shown: bool = True) -> types.InlineCompletionItem:
        (item,) = await self.editor.items(self.uri, 2, self.column)
        if shown:
            self.tell("didShowCompletion", item)
        return item

    def tell(self, what: str, item: types.InlineCompletionItem, **more: Any) -> None:
        assert item.command
        command = {"command": item.command.command, "arguments": item.command.arguments}
        told = {"insertText": item.insert_text, "command": command}
        self.editor.protocol.notify(f"textDocument/{what}", {"item": told} | more)

    def edit(self, first: int, last: int, text: str) -> None:
        there = types.Range(types.Position(2, first), types.Position(2, last))
        self.editor.change(self.uri, types.TextDocumentContentChangePartial(there, text))
        self.column = first + len(text)

    async def accept(self, item: types.InlineCompletionItem) -> None:
        assert item.range
        assert item.command
        start, end = item.range.start.character, item.range.end.character
        self.edit(start, end, str(item.insert_text))
        params = types.ExecuteCommandParams(item.command.command, item.command.arguments)
        await self.editor.workspace_execute_command_async(params)


@asynccontextmanager
async def numbers(home: Path, **least: int) -> AsyncIterator[dict[str, int]]:
    """Those in the file, as soon as they are so large; half a minute passes till then."""
    store = Store(pytest.fail, home / "statistics")
    found: dict[str, int] = {}
    async with asyncio.timeout(90):
        while not all(found.get(name, 0) >= number for name, number in least.items()):
            await asyncio.sleep(0.2)
            keys = await asyncio.to_thread(store.read)
            found = {key.name: number for key, number in keys.items()}
    assert {key.language for key in keys} == {"python"}
    yield found


async def _work(editor: Editor) -> None:
    """Three suggestions: kept, taken word by word and taken back, typed through."""
    kept = User(editor, "kept.py")
    await kept.accept(await kept.item())
    kept.edit(0, 0, "  ")
    gone = User(editor, "gone.py")
    item = await gone.item()
    gone.edit(4, 7, "return width")
    for length in (len("return"), len("return width")):
        gone.tell("didPartiallyAcceptCompletion", item, acceptedLength=length)
    gone.edit(4, 16, "")
    typed = User(editor, "typed.py")
    await typed.item()
    for letter in "urn":
        typed.edit(typed.column, typed.column, letter)
        await typed.item()


async def test_switched_off_nothing_is_counted(start: StartEditor, home: Path) -> None:
    """Nor later: the next test finds its own numbers only."""
    off = {"fim": {"model": MODEL}, "statistics": {"enable": False}}
    editor = await start(off, deadline_s=LOADING_S)
    user = User(editor, "off.py")
    await user.accept(await user.item())
    assert not (home / "statistics").exists()


async def test_from_the_editor_to_the_table(start: StartEditor, home: Path) -> None:
    editor = await start({"fim": {"model": MODEL}}, deadline_s=LOADING_S)
    await _work(editor)
    async with numbers(home, kept=1, gone=2) as found:
        expected = {"shown": 3, "accepted": 2, "whole": 1, "word": 2, "kept": 1, "gone": 2}
        assert expected.items() <= found.items()
        # "urn width * height", then "urn" and " width", each less a key
        assert found["characters"] == 17 + 2 + 4
        assert found["tokens"] > 0
        assert found["model_ms"] > 0
        assert sum(count for name, count in found.items() if name.startswith("cache ")) == 3
        assert sum(count for name, count in found.items() if name.startswith("model ")) == 3
    data = (home / "statistics" / FILE).read_bytes()
    assert not [word for word in (b"width", b".py", b"return") if word in data]
    assert "/" not in str(Store(pytest.fail, home / "statistics").read())
    printed = await _caret("stats")
    assert printed.splitlines()[1].split()[:8] == ["python", "3", "2", "67%", "1", "0", "2", "33%"]
    record = json.loads(await _caret("stats", "--json"))
    assert record["total"]["latency"]["cache"]["answers"] == 3
    assert record["total"]["without_model"] == 0.5


async def _caret(*arguments: str) -> str:
    done = await asyncio.to_thread(caret, *arguments)
    assert done.returncode == 0
    return done.stdout
