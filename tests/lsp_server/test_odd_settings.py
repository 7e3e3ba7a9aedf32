"""Settings and variables of which nothing can be made: the server lives on and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.errors import NotAllowed
from engine.models import find
from lsp_server import trust
from lsp_server.backend import Backend
from lsp_server.roles import require_allowed
from lsp_server.settings import FimSettings, InstructSettings, Settings
from tests.editor import editors
from tests.pipe import initialize, notification, read, running

if TYPE_CHECKING:
    from pathlib import Path

    from engine.api import ModelStatus

STRANGE = "someone/some-model"
BOX = "http://gpu-box.invalid:8000"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARET_HOME", str(tmp_path))
    return tmp_path


async def test_a_model_that_caret_does_not_know_is_not_downloaded_unasked(
    environment: dict[str, str], home: Path
) -> None:
    settings = {"fim": {"model": STRANGE}}
    async with editors(environment | {"CARET_HOME": str(home)}) as start:
        editor = await start(settings, choice="Do not allow", until="error")
        with pytest.raises(Exception, match=f"`caret pull {STRANGE}`"):
            await editor.texts(editor.open("x = \n"), 0, 4, invoked=True)
        (asked,) = editor.asked
        assert STRANGE in asked.message
        assert [action.title for action in asked.actions or ()] == ["Allow", "Do not allow"]
        again = await start(settings, choice="Allow", until="error")
        assert again.asked == []
    assert not (home / "models").exists() or not [*(home / "models").iterdir()]


def test_models_that_need_no_question() -> None:
    strange = find(f"{STRANGE}:model.gguf")
    with pytest.raises(NotAllowed):
        trust.require_model(strange)
    trust.decide_model(strange.name, download=True)
    trust.require_model(strange)
    assert trust.forget(strange.name)
    strange.path.parent.mkdir(exist_ok=True)
    strange.path.write_bytes(b"")
    for known in (strange, find("codellama-7b"), find("qwen2.5-coder-1.5b")):
        trust.require_model(known)


async def test_a_bad_proxy_is_told_by_the_name_of_its_variable(
    environment: dict[str, str], home: Path
) -> None:
    trust.decide(BOX, True)
    variables = {"CARET_HOME": str(home), "all_proxy": "gopher://127.0.0.1:1/", "no_proxy": ""}
    settings = {"fim": {"endpoint": BOX}, "instruct": {"endpoint": BOX}}
    async with editors(environment | variables) as start:
        editor = await start(settings)
        uri = editor.open("def f(): pass\nx = \n")
        for _ in range(2):
            with pytest.raises(Exception, match="all_proxy names a proxy"):
                await editor.texts(uri, 1, 4, invoked=True)
        with pytest.raises(Exception, match="all_proxy names a proxy"):
            await editor.ask_caret("ask", {"instruction": "Why?"})
        assert (await editor.command("caret.status"))["state"] == "error"


def test_null_for_all_settings_leaves_those_of_the_start(environment: dict[str, str]) -> None:
    options = {"fim": {"endpoint": "http://127.0.0.1:1"}}
    asks = {"workspace": {"configuration": True}}
    off = [{"completion": {"enable": False}}]
    with running(environment) as server:
        server.send(initialize(capabilities=asks, initializationOptions=options))
        server.send(notification("initialized", {}))
        for answer, state in ((off, "off"), (None, "ready"), (off, "off"), ([], "ready")):
            while (message := read(server.stdout)).get("method") != "workspace/configuration":
                pass
            server.send({"jsonrpc": "2.0", "id": message["id"], "result": answer})
            while (message := read(server.stdout)).get("method") != "caret/status" or (
                message["params"]["state"] != state
            ):
                pass
            server.send(notification("workspace/didChangeConfiguration", {"settings": None}))


async def test_no_model_answers_for_settings_that_could_not_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[ModelStatus] = []
    backend = Backend(told.append, ability="instruct", require=require_allowed)
    backend.take(Settings(instruct=InstructSettings("qwen2.5-coder-0.5b")))
    assert backend.part

    def broken(_: str) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("lsp_server.roles.find", broken)
    backend.take(Settings(FimSettings("x/y")))
    assert backend.part is None
    assert [status.phase for status in told] == ["failed"]
    await backend.aclose()
