"""Code and API keys go to servers that the user allowed, and to no others.

The stub listens on every interface: by 0.0.0.0, which is no loopback address, it stands for another
machine.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from engine.errors import EngineUnavailable, NotAllowed
from engine.paths import servers_path
from lsp_server import trust
from lsp_server.commands.trust import command
from tests.editor import editors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.editor import Editor

KEY = "CARET_API_KEY"
BOX = "http://gpu-box:8000"


class Elsewhere(ThreadingHTTPServer):
    """Another machine, or this one, by the address that it is called by."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("", 0), _Handler)
        self.url = f"http://0.0.0.0:{self.server_port}"
        self.keys: list[str | None] = []
        self.redirect = ""


class _Handler(BaseHTTPRequestHandler):
    server: Elsewhere

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.keys.append(self.headers["Authorization"])
        self.send_response(307 if self.server.redirect else 200)
        self.send_header("Location", self.server.redirect)
        self.end_headers()
        for text in ("ab", ""):
            choice = {"text": text, "index": 0, "finish_reason": None if text else "stop"}
            self.wfile.write(b"data: %s\n\n" % json.dumps({"choices": [choice]}).encode())


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARET_HOME", str(tmp_path))
    for name in (KEY, f"{KEY}_HOST"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


async def complete(editor: Editor) -> list[Any]:
    return list(await editor.texts(editor.open("x = \n"), 0, 4, invoked=True))


async def test_another_machine_is_asked_about_once(
    environment: dict[str, str], home: Path, elsewhere: Elsewhere
) -> None:
    settings = {"fim": {"endpoint": elsewhere.url}}
    async with editors(environment | {"CARET_HOME": str(home), KEY: "k"}) as start:
        editor = await start(settings, choice="Do not allow", until="error")
        with pytest.raises(Exception, match=f"`caret trust {elsewhere.url}` allows it"):
            await complete(editor)
        (asked,) = editor.asked
        assert [action.title for action in asked.actions or ()] == [
            "Allow",
            "Allow without the key",
            "Do not allow",
        ]
        assert elsewhere.url in asked.message
        assert KEY in asked.message
        refused = await start(settings, until="error")
        assert not refused.asked
        assert not elsewhere.keys
        assert CliRunner().invoke(command, [elsewhere.url, "--forget"]).exit_code == 0
        allowed = await start(settings, choice="Allow")
        assert "ab" in await complete(allowed)
        assert set(elsewhere.keys) == {"Bearer k"}
        again = await start(settings)
        assert "ab" in await complete(again)
        assert again.asked == []
        elsewhere.redirect, before = (
            elsewhere.url.replace("http://", "http://x."),
            len(elsewhere.keys),
        )
        with pytest.raises(Exception, match="307"):
            await complete(again)
        assert len(elsewhere.keys) == before + 1


async def test_a_key_stays_with_the_server_that_it_was_given_for(
    environment: dict[str, str], home: Path, elsewhere: Elsewhere
) -> None:
    """Loopback needs no question for code."""
    trust.decide(BOX, True, CARET_API_KEY=True)
    local = f"http://127.0.0.1:{elsewhere.server_port}"
    async with editors(environment | {"CARET_HOME": str(home), KEY: "k"}) as start:
        editor = await start({"fim": {"endpoint": local}})
        assert "ab" in await complete(editor)
        (asked,) = editor.asked
        assert asked.message == f"Caret: Send the API key in {KEY} to {local}?"
        other = await start({"fim": {"endpoint": elsewhere.url}}, choice="Allow")
        assert "ab" in await complete(other)
    assert set(elsewhere.keys) == {None}


async def test_the_command_reaches_servers_that_run(
    environment: dict[str, str], home: Path, elsewhere: Elsewhere
) -> None:
    local, runner = f"http://127.0.0.1:{elsewhere.server_port}", CliRunner()
    async with editors(environment | {"CARET_HOME": str(home), KEY: "k"}) as start:
        editor = await start({"fim": {"endpoint": local}})
        assert "ab" in await complete(editor)
        runner.invoke(command, [local, "--key"])
        assert "ab" in await complete(editor)
        assert [elsewhere.keys[0], elsewhere.keys[-1]] == [None, "Bearer k"]
        runner.invoke(command, [elsewhere.url])
        other = await start({"fim": {"endpoint": elsewhere.url}})
        assert "ab" in await complete(other)
        asked = len(elsewhere.keys)
        runner.invoke(command, [elsewhere.url, "--forget"])
        with pytest.raises(Exception, match="caret trust"):
            await complete(other)
        assert len(elsewhere.keys) == asked
        runner.invoke(command, [elsewhere.url, "--key"])
        assert "ab" in await complete(other)
    assert elsewhere.keys[-1] == "Bearer k"


def test_decisions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert trust.server_of("https://u:p@GPU-box:8000/v1/completions") == "https://gpu-box:8000"
    for endpoint in ("http://localhost:1", "http://127.3.2.1", "http://[::1]:8080/v1"):
        trust.require(endpoint)
    for endpoint in (BOX, "http://127.0.0.1.evil.org", "http://localhost.evil", "http://0.0.0.0:1"):
        with pytest.raises(NotAllowed, match="caret trust"):
            trust.require(endpoint)
    with pytest.raises(EngineUnavailable, match="endpoint"):
        trust.require("no address at all")
    trust.decide(BOX, True)
    trust.decide(BOX, CARET_API_KEY=False)
    trust.require(f"{BOX}/v1")
    with pytest.raises(NotAllowed):
        trust.require("https://gpu-box:8000")
    assert trust.key_allowed(BOX, KEY) is False
    assert trust.key_allowed("http://other", KEY) is None
    assert servers_path().stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv(f"{KEY}_HOST", "other")
    assert trust.key_allowed("http://other", KEY)
    assert trust.key_allowed(BOX, KEY) is False
    trust.require("http://other")
    for damaged in (
        "{",
        "[]",
        '{"http://gpu-box:8000": 1}',
        '{"http://gpu-box:8000": {"code": 1}}',
    ):
        servers_path().write_text(damaged)
        with pytest.raises(NotAllowed):
            trust.require(BOX)


def test_the_command() -> None:
    runner = CliRunner()
    assert runner.invoke(command, [BOX, "--key"]).exit_code == 0
    assert trust.key_allowed(BOX, KEY)
    said = runner.invoke(command, []).output
    assert said == f"{BOX}: code, and the key in {KEY}, and the key in CARET_INSTRUCT_API_KEY\n"
    assert "forgotten" in runner.invoke(command, [BOX, "--forget"]).output
    assert trust.decisions() == {}
