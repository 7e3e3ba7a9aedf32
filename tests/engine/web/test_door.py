"""The engine's port, at which any user of this machine may knock, as often as they like."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import httpx
import pytest

from engine.host import Host
from engine.web import connection, guard
from tests.engine.web.conftest import Loader, ScriptedModel, serving, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.lockfile import Address

DEADLINE_S = 60.0
MODEL = "smollm2-135m"


@pytest.fixture(scope="module")
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture(scope="module")
def address(model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """One server for all of these tests, which none of them may bring down."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CARET_HOME", "XDG_RUNTIME_DIR"):
            patch.setenv(name, str(tmp_path_factory.mktemp("door")))
        loader = Loader(model)
        with serving(Host(loader.load, loader.pull)) as address:
            yield address


@pytest.fixture(scope="module")
def own(address: Address) -> Iterator[httpx.Client]:
    """A client of the engine's user."""
    with httpx.Client(
        base_url=address.url, headers=address.headers, trust_env=False, timeout=DEADLINE_S
    ) as client:
        yield client


@pytest.fixture(scope="module")
def stranger(address: Address) -> Iterator[httpx.Client]:
    """A client without the token."""
    with httpx.Client(base_url=address.url, trust_env=False, timeout=DEADLINE_S) as client:
        yield client


def _knock(address: Address, data: bytes = b"") -> socket.socket:
    stranger = socket.create_connection(("127.0.0.1", address.port), timeout=DEADLINE_S)
    stranger.sendall(data)
    return stranger


def _until_closed(stranger: socket.socket) -> bytes:
    """All that it is still told; fails where nobody hangs up."""
    told = b""
    with suppress(ConnectionError):
        while data := stranger.recv(1 << 16):
            told += data
    return told


def _head(address: Address, path: str = "/health", *more: str, method: str = "GET") -> bytes:
    host, token = f"Host: 127.0.0.1:{address.port}", address.headers["Authorization"]
    lines = [f"{method} {path} HTTP/1.1", host, f"Authorization: {token}", *more]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize("sent", [b"", b"GET /health", b"GET /health HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_come(
    address: Address, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)
    with _knock(address, sent) as stranger:
        assert _until_closed(stranger) == b""


def test_a_second_head_that_does_not_come(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _knock(address, _head(address)) as stranger:
        assert stranger.recv(1 << 16).startswith(b"HTTP/1.1 200")
        monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)
        stranger.sendall(b"G")
        assert b"HTTP/1.1" not in _until_closed(stranger)


def test_a_body_that_does_not_come(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    asking = _head(address, "/v1/completions", "Content-Length: 9", method="POST")
    with _knock(address, asking + b"{") as slow:
        told = _until_closed(slow)
    assert told.startswith(b"HTTP/1.1 408")
    assert b"comes too slowly" in told


def test_a_long_answer_is_not_hurried(
    address: Address, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    model.gate.clear()
    body = json.dumps({"model": MODEL, "prompt": "a", "stream": True}).encode()
    length = f"Content-Length: {len(body)}"
    with _knock(address, _head(address, "/v1/completions", length, method="POST") + body) as own:
        assert own.recv(1 << 16).startswith(b"HTTP/1.1 200")
        with _knock(address) as later:
            assert _until_closed(later) == b""  # both times have passed
        model.gate.set()
        until(lambda: b"[DONE]" in own.recv(1 << 16))


def test_strangers_without_number(
    address: Address, own: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MOST_STRANGERS", 8)
    with ExitStack() as stack:
        assert own.get("/health").json()["pid"] == address.pid
        strangers = [stack.enter_context(_knock(address)) for _ in range(60)]
        for stranger in strangers[:50]:
            assert _until_closed(stranger) == b""
        assert own.get("/health").json()["pid"] == address.pid
        with httpx.Client(headers=address.headers, trust_env=False) as another:
            assert another.get(f"{address.url}/v1/models").status_code == 200


_FLOOD = """
import resource, socket, sys
from contextlib import ExitStack
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
import httpx
from engine.host import Host
from tests.engine.web.conftest import Loader, ScriptedModel, serving
loader = Loader(ScriptedModel())
with serving(Host(loader.load, loader.pull)) as address:
    sys.stdout.write(f"{address.port} {address.token}\\n")
    sys.stdout.flush()
    sys.stdin.read()
"""


def test_more_strangers_than_files_may_be_open(tmp_path: Path) -> None:
    environ = os.environ | {"CARET_HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    command = [sys.executable, "-c", _FLOOD]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environ) as engine:
        assert engine.stdout
        port, token = engine.stdout.readline().decode().split()
        at = "127.0.0.1", int(port)
        with ExitStack() as stack:
            for _ in range(200):
                stranger = stack.enter_context(socket.socket())
                stranger.setblocking(False)
                stranger.connect_ex(at)
            asked = (
                f"GET /health HTTP/1.1\r\nHost: {at[0]}\r\nAuthorization: Bearer {token}\r\n\r\n"
            )
            with socket.create_connection(at, timeout=DEADLINE_S) as own:
                own.sendall(asked.encode())
                assert own.recv(1 << 16).startswith(b"HTTP/1.1 200")
        told = engine.communicate(timeout=DEADLINE_S)[1]
    assert (told, engine.returncode) == (b"", 0)


def test_requests_in_a_row_are_answered_in_a_row(address: Address) -> None:
    asked = [_head(address, path) for path in ("/health", "/v1/models", "/nowhere")]
    last = _head(address, "/health", "Connection: close")
    with _knock(address, b"".join(asked) + last) as own:
        told = _until_closed(own)
    assert re.findall(rb"HTTP/1.1 (\d+)", told) == [b"200", b"200", b"404", b"200"]


@pytest.mark.parametrize("token", [True, False])
def test_a_body_without_end_is_not_read_to_its_end(address: Address, token: bool) -> None:
    head = _head(address, "/v1/completions", "Transfer-Encoding: chunked", method="POST")
    head = head if token else head.replace(b"Bearer ", b"Bearer x")
    chunk = b"%x\r\n%s\r\n" % (1 << 16, b" " * (1 << 16))
    with _knock(address, head) as stranger, suppress(ConnectionError):
        for _ in range(100_000):  # 6 GB, or until it hangs up
            stranger.sendall(chunk)
        pytest.fail("it reads everything")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /%ff%00%2e%2e HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET http://evil.example/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET /health HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_odd_heads_cost_nothing(
    address: Address, own: httpx.Client, head: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with _knock(address, head) as stranger:
        stranger.shutdown(socket.SHUT_WR)
        told = _until_closed(stranger)
    assert not told or told[9:12] in (b"200", b"400", b"401", b"403", b"404", b"431", b"501")
    assert b"pid" not in told
    assert own.get("/health").status_code == 200
    assert caplog.records == [] or {record.levelname for record in caplog.records} <= {"INFO"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE"])
@pytest.mark.parametrize(
    "path", ["/health", "/v1/models", "/metrics", "/shutdown", "/v1/completions"]
)
def test_no_method_tells_a_stranger_anything(
    own: httpx.Client, stranger: httpx.Client, method: str, path: str
) -> None:
    response = stranger.request(method, path)
    assert response.status_code in (200, 401, 405)
    assert response.status_code != 200 or path == "/health"
    assert "pid" not in response.text
    assert "access-control-allow-origin" not in response.headers
    assert own.get("/health").json()["quiet_seconds"] > 0  # it keeps no engine alive either


@pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin", "none"])
def test_what_a_browser_loads(own: httpx.Client, site: str) -> None:
    assert own.get("/health", headers={"Sec-Fetch-Site": site}).status_code == 403


PATHS = ["/v1/completions", "/v1/chat/completions", "/v1/models/load"]


@pytest.mark.parametrize("path", PATHS)
def test_a_model_of_any_name_is_answered_in_words(own: httpx.Client, path: str) -> None:
    usual: dict[str, object] = {"prompt": "a"} if path == PATHS[0] else {}
    usual |= {"messages": [{"role": "user", "content": "a"}]} if path == PATHS[1] else {}
    for name in ["\ud800", "\0", "/\0", "../../etc/passwd", "~nobody/x", "a" * 5000, 3, [], {}]:
        response = own.post(path, content=json.dumps(usual | {"model": name}).encode())
        assert response.status_code in (400, 404, 422), (name, response.text)
        assert response.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        *[b"", b"{", b"null", b"5", b"[]", b'"x"', b"\xff\xfe", b"{}x", b"\0", b'{"model":"\xff"}'],
        *[b"[" * 100_000, b'{"a":' * 100_000, b"1" * 5000, b'{"max_tokens":' + b"9" * 5000 + b"}"],
        *[b'{"temperature":NaN,"prompt":"a"}', b'{"temperature":1e999,"prompt":"a"}'],
    ],
)
def test_a_body_that_is_no_request(own: httpx.Client, body: bytes) -> None:
    response = own.post(PATHS[len(body) % 3], content=body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "bad_request"
    assert len(response.text) < 500
