"""10,000 messages over 200 connections: no crash, no request unanswered, no traceback shown."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from lsp_server.framing import frame
from tests.lsp_server.conftest import ModelServer
from tests.pipe import Server, initialize, notification, running
from tests.torture.client import PATIENCE_S, Client
from tests.torture.figures import Figures
from tests.torture.messages import Messages

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECTIONS, MESSAGES = 200, 10_000
_AT_ONCE = 4
_WIDTH = 300
_FILE = "def area(radius):\n    return 3 * radius\n"


@dataclass
class Tally:
    """Results of some connections."""

    sent: int = 0
    crashes: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count those of another one too."""
        self.sent += other.sent
        for name in ("crashes", "unanswered", "shown", "logged"):
            getattr(self, name).extend(getattr(other, name))


def run(seed: int, scale: float = 1.0) -> Figures:
    """Talk to `scale` times as many servers."""
    connections, tally = max(1, round(CONNECTIONS * scale)), Tally()
    with ModelServer() as model, ThreadPoolExecutor(_AT_ONCE) as pool:
        threading.Thread(target=model.serve_forever, daemon=True).start()
        for each in pool.map(lambda n: _connection(f"{seed}:{n}", model.url), range(connections)):
            tally.add(each)
        model.shutdown()
    wanted = {
        "crashes": tally.crashes,
        "unanswered requests": tally.unanswered,
        "tracebacks shown": tally.shown,
        "faults logged": tally.logged,
    }
    counts = ", ".join(f"{len(found)} {name}" for name, found in wanted.items())
    told = f"{tally.sent:,} messages over {connections} connections: {counts}"
    return Figures(told, tuple(f"{name}: {each}" for name in wanted for each in wanted[name]))


def _connection(seed: str, endpoint: str) -> Tally:
    random, tally = Random(seed), Tally()
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        Path(folder, "shapes.py").write_text(_FILE)
        kept = {name: os.environ[name] for name in os.environ if name != "CARET_API_KEY"}
        with running(kept | {"CARET_HOME": home}) as server:
            client, messages = Client(server, random), Messages(random, folder)
            _begin(client, random, folder, endpoint)
            for _ in range(MESSAGES // CONNECTIONS):
                _say(client, messages, random)
            tally.unanswered = client.unanswered()
            tally.crashes = _end(server, client, random)
            client.close()
            tally.sent, tally.shown = client.sent, client.faults
            tally.unanswered += [f"{each} has too many answers" for each in client.surplus()]
            assert server.process.stderr
            tally.shown += server.process.stderr.read().decode().splitlines()
        tally.logged = _faults(Path(home, "log", "lsp.log"))
    for name in ("crashes", "unanswered", "shown", "logged"):
        told = [f"connection {seed}: {each[:_WIDTH]}" for each in getattr(tally, name)]
        setattr(tally, name, told)
    return tally


def _begin(client: Client, random: Random, folder: str, endpoint: str) -> None:
    """Initialize it in one of the ways of editors; some do so twice, or late, or say no more."""
    where = {"endpoint": endpoint}
    options: list[Any] = [
        {"completion": {"enable": False}, "fim": where, "instruct": where},
        {"fim": where, "instruct": where},
    ]
    places: list[dict[str, Any]] = [
        {"rootPath": folder},
        {"rootUri": f"file://{folder}"},
        {"workspaceFolders": [{"uri": f"file://{folder}", "name": "n"}, {"uri": 5}]},
        {"workspaceFolders": None},
        {"workspaceFolders": []},
    ]
    general = {"positionEncodings": random.choice([["utf-8"], ["utf-16", 5], ["utf-32"], "x"])}
    able = {"workspace": {"configuration": True}, "window": {"workDoneProgress": True}}
    capabilities = random.choice([{}, able, able | {"general": general}, {"textDocument": 7}, None])
    if random.random() < 0.2:
        client.say({"jsonrpc": "2.0", "id": 3, "method": "textDocument/hover", "params": {}})
    params = random.choice(places) | {"processId": random.choice([None, 2**40, -1, "x", 1.5])}
    params |= {"capabilities": capabilities, "initializationOptions": random.choice(options)}
    client.say(initialize(**params))
    if random.random() < 0.8:
        client.say(notification("initialized", {}))


def _say(client: Client, messages: Messages, random: Random) -> None:
    kind = random.random()
    if kind < 0.45:
        client.say(messages.valid())
    elif kind < 0.85:
        client.say(messages.nearly_valid())
    else:
        client.write(messages.garbage())


def _end(server: Server, client: Client, random: Random) -> list[str]:
    """End the session in one of the ways of editors; tell where the server did not end so."""
    if server.process.poll() is not None:
        return [f"ended by itself with {server.process.returncode}"]
    shutdown = {"jsonrpc": "2.0", "id": "last", "method": "shutdown"}
    leave = notification("exit", None)

    def politely() -> None:
        client.say(shutdown)
        client.unanswered()
        client.say(leave)

    def amid_a_message() -> None:
        data = frame(b'{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}')
        client.write(data[: random.randrange(len(data))])
        server.stdin.close()

    ways: list[tuple[Callable[[], Any], set[int]]] = [
        (politely, {0}),
        (lambda: client.say(leave), {1}),
        (server.stdin.close, {1}),
        (amid_a_message, {1}),
        (lambda: server.process.send_signal(signal.SIGTERM), {1}),
        (lambda: server.process.send_signal(signal.SIGHUP), {1}),
    ]
    end, statuses = random.choice(ways)
    with suppress(OSError):
        end()
    try:
        status = server.process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        return ["did not end"]
    return [] if status in statuses else [f"ended with {status} instead of {statuses}"]


def _faults(log: Path) -> list[str]:
    """Return where in the server something unforeseen happened, from its log."""
    lines = log.read_text().splitlines() if log.exists() else []
    last = [
        n for n, line in enumerate(lines) if line.startswith("    ") and lines[n + 1 : n + 2] != []
    ]
    return [" ".join(lines[n - 1 : n + 2]) for n in last if not lines[n + 1].startswith("  ")]
