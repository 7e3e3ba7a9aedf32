"""Servers elsewhere that answer in odd ways, as HTTP goes."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from typing import TYPE_CHECKING

import httpx
import pytest

from engine.errors import CaretError, EngineError, EngineLost, EngineUnavailable, RequestError
from engine.remote import Endpoint, RemoteClient
from tests.engine.web.elsewhere import REQUEST, all_of, ask
from tests.raw_server import raw_server

if TYPE_CHECKING:
    from engine.api import Piece

EVENT = b'data: {"choices":[{"text":"x)"}]}\n\n'
OK = b"HTTP/1.1 200 OK\r\n"
CLOSE = b"Connection: close\r\n\r\n"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def _text(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))[:-2]


ZIPPED = gzip.compress(EVENT)


@pytest.mark.parametrize(
    "answer",
    [
        [OK + CLOSE, EVENT],
        [b"HTTP/1.0 200 OK\r\n\r\n", EVENT],
        [b"HTTP/1.1 201 Created\r\n" + CLOSE, EVENT],
        [OK + b"Content-Type: text/html; charset=latin-1\r\n" + CLOSE, EVENT[:9], EVENT[9:]],
        [OK + b"Content-Encoding: gzip\r\n" + CLOSE, ZIPPED[:12], ZIPPED[12:]],
        [OK + b"Transfer-Encoding: chunked\r\n\r\n", _chunked(EVENT[:5], EVENT[5:]), b"\r\n"],
        [OK + b"Transfer-Encoding: chunked\r\n\r\n", _chunked(EVENT), b"X-Trailer: 1\r\n\r\n"],
        [b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK + CLOSE, EVENT],
        [OK + CLOSE, b'{"choices":[{"message":{"content":[{"type":"text","text":"x)"}]}}]}'],
    ],
)
async def test_what_a_client_must_take(answer: list[bytes]) -> None:
    async with raw_server(*answer) as server:
        assert _text(await ask(Endpoint(server.url))) == "x)"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ([b""], EngineLost, "hung up without an answer"),
        ([b"SSH-2.0-OpenSSH_9\r\n"], EngineLost, "broke off its answer"),
        ([OK + b"Content-Length: 999\r\n\r\n", EVENT], EngineLost, "broke off its answer"),
        ([OK + b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n"], EngineLost, "broke off"),
        ([OK + b"Content-Encoding: gzip\r\n" + CLOSE, b"no gzip"], EngineLost, "broke off"),
        ([OK + b"Content-Length: 0\r\n\r\n"], EngineError, r"\(status 200\) sent nothing"),
        ([OK + b"X: " + b"x" * 200_000 + b"\r\n\r\n"], EngineLost, "broke off"),
        ([OK + CLOSE, b"<title>Log in</title>"], EngineError, r"\(status 200\) sent 'Log in"),
        ([b"HTTP/1.1 500 \r\n" + CLOSE, b"x" * 300_000], EngineError, r"failed \(500: x{200}\)"),
        ([b"HTTP/1.1 500 \x1b]0;x\r\n" + CLOSE], EngineError, r"failed \(500 \]0;x\)"),
        ([b"HTTP/1.1 304 \r\n" + CLOSE], RequestError, r"refused the request \(304\)"),
        ([b"HTTP/1.1 302 \r\nLocation: data:x\r\n" + CLOSE], RequestError, "an address that is"),
        (
            [OK + CLOSE, b'{"choices":[{"text":"x","logprob":1' + b"0" * 400 + b"}]}"],
            EngineError,
            "no completion",
        ),
    ],
)
async def test_what_is_no_answer(answer: list[bytes], kind: type[CaretError], words: str) -> None:
    async with raw_server(*answer) as server:
        with pytest.raises(kind, match=words):
            await ask(Endpoint(server.url))


async def test_what_came_before_it_broke_off_was_passed_on() -> None:
    async with raw_server(OK + b"Content-Length: 999\r\n\r\n", EVENT) as server:
        client = RemoteClient(Endpoint(server.url))
        pieces = client.complete(REQUEST)
        assert (await anext(pieces)).text == "x)"
        with pytest.raises(EngineLost, match="broke off its answer"):
            await anext(pieces)
        await client.aclose()


@pytest.mark.parametrize("answer", [[], [OK + CLOSE, EVENT]])
async def test_a_server_that_falls_silent(answer: list[bytes]) -> None:
    async with raw_server(*answer, hold=True) as server:
        client = RemoteClient(Endpoint(server.url), silence=0.2)
        with pytest.raises(EngineLost, match="has sent nothing for too long"):
            await all_of(client.complete(REQUEST))
        await client.aclose()


@pytest.mark.parametrize("head", [OK, OK + CLOSE])
async def test_signs_of_life_are_no_answer(head: bytes) -> None:
    left = asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(b"x: y\n" if head == OK else b": still there\n\n")
            await asyncio.sleep(0.01)
        left.set()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = RemoteClient(Endpoint(f"http://127.0.0.1:{port}"), silence=0.05)
        with pytest.raises(EngineLost, match="has sent no text for too long"):
            await all_of(client.complete(REQUEST))
        await client.aclose()
        await left.wait()


async def test_a_path_is_asked_for_as_it_is_written() -> None:
    async with raw_server(OK + CLOSE, EVENT) as server:
        await ask(Endpoint(f"{server.url}/org%2Fmodel/v1"))
    assert server.heads[0].startswith("POST /org%2Fmodel/v1/completions HTTP/1.1\r\n")


@pytest.mark.parametrize("coding", [b"identity", b"gzip"])
async def test_an_answer_without_end(coding: bytes) -> None:
    body = EVENT + b": \n" * (1 << 20)
    body = gzip.compress(body, 1) if coding == b"gzip" else body
    async with raw_server(OK + b"Content-Encoding: " + coding + b"\r\n" + CLOSE, body) as server:
        with pytest.raises(EngineError, match="an answer without end"):
            await ask(Endpoint(server.url))


async def test_a_text_without_end_is_cut() -> None:
    event = json.dumps({"choices": [{"text": "x" * 1000}]}).encode()
    async with raw_server(OK + CLOSE, *[b"data: " + event + b"\n\n"] * 100) as server:
        pieces = await ask(Endpoint(server.url))
    assert pieces[-1].finish_reason == "length"
    assert len(_text(pieces)) == 1024 + 64 * REQUEST.max_tokens


async def test_a_user_in_the_address_goes_before_the_key() -> None:
    async with raw_server(OK + CLOSE, EVENT) as server:
        url = server.url.replace("http://", "http://me:s3cret@")
        await ask(Endpoint(url, api_key="k3y"))
    (head,) = server.heads
    assert "authorization: Basic bWU6czNjcmV0" in head.replace("Authorization", "authorization")
    assert "k3y" not in head


async def test_a_proxy_is_named_where_it_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://me:s3cret@127.0.0.1:9")
    said = r"reached \(through the proxy http://127.0.0.1:9 of http_proxy: "
    with pytest.raises(EngineUnavailable, match=said) as caught:
        await ask(Endpoint("http://box.example:8000"))
    assert "s3cret" not in str(caught.value)


async def test_a_bad_proxy_is_said_and_this_machine_reached_past_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("all_proxy", "zzz://127.0.0.1:1/")
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1,[::1]")
    with pytest.raises(EngineUnavailable, match=r"^The variable all_proxy names a proxy"):
        await ask(Endpoint("http://box.example:8000"))
    async with raw_server(OK + CLOSE, EVENT) as server:
        assert _text(await ask(Endpoint(server.url))) == "x)"


async def test_a_request_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server(OK + CLOSE, EVENT) as proxy:
        monkeypatch.setenv("HTTP_PROXY", httpx.URL(proxy.url).netloc.decode())
        assert _text(await ask(Endpoint("http://box.example:8000"))) == "x)"
    assert proxy.heads[0].startswith("POST http://box.example:8000/v1/completions HTTP/1.1\r\n")


async def test_an_address_that_is_none() -> None:
    with pytest.raises(EngineUnavailable, match=r"^The endpoint begins with ftp://"):
        await ask(Endpoint("ftp://box"))


async def test_a_key_that_is_none_is_neither_sent_nor_shown() -> None:
    with pytest.raises(EngineUnavailable, match=r"^The API key has characters") as caught:
        await ask(Endpoint("http://127.0.0.1:1", api_key="s3c\nret"))
    assert "s3c" not in str(caught.value)
    async with raw_server(OK + CLOSE, EVENT) as server:
        await ask(Endpoint(server.url, api_key=" s3cret\n"))
    assert "Bearer s3cret\r\n" in server.heads[0]
