from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import sse, wire
from engine.api import (
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    ModelStatus,
    Piece,
    Sampling,
    Snippet,
    Usage,
)
from engine.errors import BY_CODE, CaretError, EngineError, NotCapable, RequestError, Superseded
from engine.wire import Delivery
from engine.wire_answers import Envelope
from engine.wire_stream import parse_stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

COMPLETION = CompletionRequest(
    "qwen2.5-coder-0.5b",
    "def f(x):\r\n\t",
    suffix="\n# 😀",
    max_tokens=9,
    stop=("\n\n", "x"),
    sampling=Sampling(0.5, 40, 0.9, 7, speculate=False),
    n=3,
    document="file:///a.py",
    path="src/a.py",
    context=(Snippet("src/b.py", "b = 1\n"),),
)
CHAT = ChatRequest("m", (ChatMessage("system", "Be brief."), ChatMessage("user", "Why?")), 10)


def test_completion_survives_the_wire() -> None:
    body = wire.decode(wire.encode(wire.completion_body(COMPLETION)))
    assert body["temperature"] == 0.5
    assert wire.parse_completion(body) == (COMPLETION, Delivery())


def test_chat_survives_the_wire() -> None:
    body = wire.decode(wire.encode(wire.chat_body(CHAT) | {"stream": True, "wait": False}))
    assert wire.parse_chat(body) == (CHAT, Delivery(stream=True, wait=False))


@given(st.text(), st.one_of(st.none(), st.text()))
def test_any_text_survives_the_wire(prompt: str, suffix: str | None) -> None:
    request = CompletionRequest("", prompt, suffix)
    assert wire.parse_completion(wire.decode(wire.encode(wire.completion_body(request))))[
        0
    ] == CompletionRequest("", prompt, suffix)


def test_openai_request_of_another_client() -> None:
    body = {
        "prompt": "a",
        "stop": "\n",
        "suffix": None,
        "user": "me",
        "echo": False,
        "logprobs": None,
        "presence_penalty": 0.0,
        "best_of": 1,
        "stream_options": {"include_usage": True},
    }
    assert wire.parse_completion(body)[0] == CompletionRequest("", "a", stop=("\n",))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "field prompt is missing"),
        ({"prompt": 1}, "field prompt must be a string"),
        ({"prompt": ["a"]}, "field prompt must be a string"),
        ({"prompt": "a", "max_tokens": "3"}, "field max_tokens must be an integer"),
        ({"prompt": "a", "max_tokens": True}, "field max_tokens must be an integer"),
        ({"prompt": "a", "max_tokens": -1}, "field max_tokens must not be negative"),
        ({"prompt": "a", "window": -1}, "field window must not be negative"),
        ({"prompt": "a", "max_tokenz": 3}, "Unknown field: max_tokenz"),
        ({"prompt": "a", "temperature": "hot"}, "field temperature must be a number"),
        ({"prompt": "a", "temperature": float("nan")}, "field temperature must be a number"),
        ({"prompt": "a", "temperature": 10**400}, "field temperature must be a number"),
        ({"prompt": "a", "temperature": -1}, "field temperature must not be negative"),
        ({"prompt": "a", "top_p": 0}, "field top_p must be above 0"),
        ({"prompt": "a", "top_k": -5}, "field top_k must not be negative"),
        ({"prompt": "a", "seed": 2**63}, "field seed must be an integer"),
        ({"prompt": "a", "stop": 3}, "field stop must be a list"),
        ({"prompt": "a", "stop": [3]}, r"field stop\[0\] must be a string"),
        ({"prompt": "a", "stop": ""}, "field stop must not hold an empty string"),
        ({"prompt": "a", "n": 0}, "field n must be from 1 to 16"),
        ({"prompt": "a", "n": 17}, "field n must be from 1 to 16"),
        ({"prompt": "a", "echo": True}, "field echo is not supported"),
        ({"prompt": "a", "stream": "yes"}, "field stream must be true or false"),
        ({"prompt": "a", "document": 4}, "field document must be a string"),
        ({"prompt": "a", "context": "b.py"}, "field context must be a list"),
        ({"prompt": "a", "context": [{"path": "b"}]}, r"field context\[0\].text is missing"),
        ({"prompt": "a", "context": [3]}, r"field context\[0\] has a wrong type"),
    ],
)
def test_wrong_completion_request_names_its_field(body: wire.JSON, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        wire.parse_completion(body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "field messages is missing"),
        ({"messages": []}, "field messages must hold at least one"),
        ({"messages": "hi"}, "field messages must be a list"),
        ({"messages": [{"role": "robot", "content": "a"}]}, r"field messages\[0\].role"),
        ({"messages": [{"role": "user"}]}, r"field messages\[0\].content is missing"),
        ({"messages": [{"role": "user", "content": "a"}], "n": 2}, "field n is not supported"),
    ],
)
def test_wrong_chat_request_names_its_field(body: wire.JSON, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        wire.parse_chat(body)


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"a"', b"\xff", b"[" * 100_000])
def test_body_that_is_no_json_object(body: bytes) -> None:
    with pytest.raises(RequestError, match="body of the request"):
        wire.decode(body)


def test_half_a_surrogate_pair_is_replaced_on_both_sides() -> None:
    request, _ = wire.parse_completion(
        wire.decode(b'{"prompt": "a\\ud800b", "suffix": "\\ud83d\\ude00"}')
    )
    assert (request.prompt, request.suffix) == ("a\ufffdb", "😀")
    assert wire.encode("a\ud800b") == b'"a?b"'


def test_status_survives_the_wire() -> None:
    status = ModelStatus("m", "failed", 3, 4, "no room", "disk_full")
    assert wire.structure(wire.status_body(status), ModelStatus) == status


@pytest.mark.parametrize("code", BY_CODE)
def test_every_error_survives_the_wire(code: str) -> None:
    error = BY_CODE[code]("What happened. What to do.")
    body = wire.error_body(error)
    back = wire.parse_error(wire.encode(body))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert 400 <= wire.http_status(error) < 600


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RequestError("a"), 400),
        (Superseded("a"), 409),
        (NotCapable("a"), 422),
        (CaretError(""), 503),
    ],
)
def test_http_status(error: CaretError, status: int) -> None:
    assert wire.http_status(error) == status


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"error": "no"}', b'{"error": {"code": 400}}', b"[]"]
)
def test_error_of_a_stranger(body: bytes) -> None:
    assert wire.parse_error(body) is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"error": {"message": "out of\\n luck"}}', "out of luck"),
        (b'{"error": "out of luck"}', "out of luck"),
        (b'{"detail": "out of luck"}', "out of luck"),
        (b'{"object": "error", "message": "out of luck"}', "out of luck"),
        (b"out of luck", "out of luck"),
        (b"[1]", "[1]"),
    ],
)
def test_error_text_in_the_shapes_of_servers(body: bytes, text: str) -> None:
    assert wire.error_text(body) == text


PIECES = [
    Piece("a\u2028", 0, -0.25, token_scores=((1, -0.2), (2, -0.05))),
    Piece("b", 1, -0.5),
    Piece("", 0, None, "stop"),
    Piece("c\x85", 1, -1.5, "length", Usage(7, 4, 2, 1.5, 2.5, 1, 3, 1)),
]


@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_pieces_survive_a_stream_however_it_is_cut(chat: bool, size: int) -> None:
    envelope = Envelope("m", chat)
    stream = b": a comment\n\n"
    stream += b"".join(sse.event(wire.encode(envelope.chunk(piece))) for piece in PIECES)
    stream += sse.event(sse.DONE) + b"data: never read\n\n"
    assert [piece async for piece in parse_stream(_chunks(stream, size))] == PIECES


async def test_pieces_of_other_servers() -> None:
    events = [
        {"choices": [{"text": "a", "finish_reason": None, "logprobs": None}], "usage": None},
        {"choices": [{"delta": {"role": "assistant", "content": None}}]},
        {"choices": [{"delta": {}, "index": 1, "finish_reason": "eos_token"}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "prompt_tokens_details": None}},
    ]
    stream = b"".join(b"data:" + json.dumps(event).encode() + b"\r\n\r\n" for event in events)
    assert [piece async for piece in parse_stream(_chunks(stream, 50))] == [
        Piece("a"),
        Piece(""),
        Piece("", 1, finish_reason="stop"),
        Piece(usage=Usage(3)),
    ]


@pytest.mark.parametrize(
    ("event", "kind", "words"),
    [
        (wire.encode(wire.error_body(Superseded("Newer."))), Superseded, "Newer."),
        (b'{"error": {"message": "cuda", "code": 500}, "choices": []}', EngineError, "cuda"),
        (b"<html>", EngineError, "no completion"),
        (b'"a"', EngineError, "no completion"),
        (b'{"choices": [{"delta": 1}]}', EngineError, "no completion"),
    ],
)
async def test_error_in_a_stream(event: bytes, kind: type[CaretError], words: str) -> None:
    with pytest.raises(kind, match=words):
        [piece async for piece in parse_stream(_chunks(sse.event(event), 10))]


def test_whole_answer_joins_the_pieces_of_each_choice() -> None:
    body = Envelope("m", chat=False).whole(PIECES)
    assert _picked(body["choices"], "index", "text", "logprob", "finish_reason") == [
        [0, "a\u2028", -0.25, "stop"],
        [1, "bc\x85", -2.0, "length"],
    ]
    assert body["usage"]["total_tokens"] == 9
    assert body["usage"]["prompt_tokens_details"] == {"cached_tokens": 4}
    assert body["usage"]["completion_tokens_details"] == {
        "accepted_prediction_tokens": 1,
        "rejected_prediction_tokens": 2,
        "passes": 1,
    }
    assert body["timings"] == {"prefill_ms": 1.5, "decode_ms": 2.5}


def test_whole_chat_answer_is_a_message() -> None:
    body = Envelope("m", chat=True).whole(PIECES[:1])
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "a\u2028"}
    assert body["object"] == "chat.completion"


async def _chunks(stream: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(stream), size):
        yield stream[start : start + size]


def _picked(choices: list[wire.JSON], *names: str) -> list[list[Any]]:
    return [[choice[name] for name in names] for choice in choices]


def test_errors_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "engine-api.md").read_text("utf-8")
    written = dict(re.findall(r"^\| `(\w+)` \| (\d{3}) \|", page, re.MULTILINE))
    real = {code: str(wire.http_status(kind(""))) for code, kind in BY_CODE.items()}
    assert written == real
