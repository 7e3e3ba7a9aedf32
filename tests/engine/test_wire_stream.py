"""Answers of every shape, cut anywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import sse
from engine.api import Piece, Usage
from engine.errors import EngineError, OutOfMemory
from engine.wire_stream import parse_stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

X = b'{"choices":[{"text":"a + b"}]}'


async def _in(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def _text(*parts: bytes, most: int | None = None) -> str:
    pieces = parse_stream(_in(parts), "The server", most)
    return "".join([piece.text async for piece in pieces])


async def _error(*parts: bytes, most: int | None = None) -> str:
    with pytest.raises(EngineError) as caught:
        await _text(*parts, most=most)
    return str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        X,
        b"\n \xef\xbb\xbf" + X,
        json.dumps({"choices": [{"message": {"content": "a + b"}}]}, indent=2).encode(),
        b"data: " + X + b"\n\ndata: [DONE]\n\n",
        b"data:" + X + b"\n\n",
        b"\xef\xbb\xbfdata: " + X + b"\n\n",
        b"data: " + X + b"\r\rdata: [DONE]\r\r",
        b"data: " + X + b"\r\n\r\ndata: [DONE]\r\n\r\n",
        b"data: " + X + b"\n",
        b"data: " + X,
        b"data: [DONE]"[:6] + X + b"\n\ndata:[DONE]",
        b": waiting\n\n: waiting\n\nevent: x\nid: 1\nretry: 3\ndata: " + X + b"\n\n",
        b"data:\n\ndata: null\n\nevent: ping\ndata: still here\n\ndata: " + X + b"\n\ndata: \n\n",
        b'data: {"choices":\ndata: [{"text":"a + b"}]}\n\n',
        b'data: {"choices":[{"text":"a "}]}\ndata: {"choices":[{"text":"+ b"}]}\ndata: [DONE]\n',
        b'data: {"choices":[]}\n\ndata: ' + X + b'\n\ndata: {"choices":[],"usage":{}}\n\n',
        b"data: " + X + b'\n\ndata: [DONE]\n\ndata: {"choices":[{"text":"!"}]}\n\n',
        b'data: {"choices":[{"text":null}]}\n\ndata: ' + X + b"\n\n",
        b'data: {"type":"ping"}\n\ndata: ' + X + b"\n\n",
        b'data: {"choices":[{"delta":{"role":"assistant"}},{"delta":{}}]}\n\ndata: ' + X,
        b'data: {"choices":[{"text":"a + b"}],"usage":{"prompt_tokens":"x","completion_tokens":-1,'
        b'"prompt_tokens_details":[]},"timings":{"prefill_ms":NaN}}\n\n',
    ],
)
async def test_what_makes_sense_is_the_text_wherever_it_is_cut(answer: bytes) -> None:
    assert await _text(answer) == "a + b"
    assert await _text(*(answer[at : at + 1] for at in range(len(answer)))) == "a + b"
    assert await _text(b"", answer, b"") == "a + b"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"<html><head><title>Log\nin</title>", "sent 'Log in (a web page)', which is no compl"),
        (b"<!DOCTYPE html><p>Hello", "'<!DOCTYPE html><p>Hello'"),
        (b"", "The server sent nothing, which is no completion. Check the endpoint."),
        (b" \r\n\r\n", "sent nothing"),
        (X + b"\n" + X, "which is no completion"),
        (b"[" + X + b"]", "which is no completion"),
        (b"null", "'null'"),
        (b"data", "sent 'data'"),
        (b": waiting\n\n", "sent ': waiting'"),
        (b"database error", "sent 'database error'"),
        (b"identity: unknown", "sent 'identity: unknown'"),
        (b"event log is full", "sent 'event log is full'"),
        (b"data : 5", "sent 'data : 5'"),
        (b"\x00\x01\x02\x1b[31m", "which is no completion"),
        (b'{"response":"a","done":false}', '\'{"response":"a"'),
        (b"data: {}\n\n", "'{}'"),
        (b"data: 5\n\n", "'5'"),
        (b"data: {\n\n", "'{'"),
        (b"data: " + X[:-3] + b"\n\n", "which is no completion"),
        (b"data: " + b"[" * 100_000 + b"\n\n", "which is no completion"),
        (b'data: {"choices":[{"text":"\xff"}]}\n\n', "which is no completion"),
        (b'{"error":{"message":"no such model"}}', "The server failed: no such model"),
        (b'{"error":"busy"}', "failed: busy"),
        (b'{"object":"error","message":"busy"}', '\'{"object":'),
        (b'event: error\ndata: {"message":"x"}\n\n', "The server failed: x"),
        (b'event: error\ndata: {"error":{"message":"x"}}\n\n', "failed: x"),
        (b'data: {"object":"error","message":"x"}\n\n', "failed: x"),
        (b'event: Error\ndata: {"message":"x"}\n\n', "failed: x"),
        (b'data: {"choices":[{"text":"","error":{"message":"x"}}]}\n\n', "failed: x"),
        (b'data: {"detail":[{"loc":["body","n"],"msg":"too many"}]}\n\n', "which is no compl"),
        *[
            (b'data: {"choices":[{"text":"a",' + wrong + b"}]}\n\n", "which is no completion")
            for wrong in [
                *[b'"index":null', b'"index":"0"', b'"index":-1', b'"index":1e3', b'"index":true'],
                *[b'"index":16', b'"text":["a"]', b'"text":3', b'"text":{}', b'"text":false'],
                *[b'"logprob":NaN', b'"logprob":"x"', b'"finish_reason":["stop"]', b'"delta":"a"'],
                *[b'"finish_reason":1', b'"delta":{"content":[1]}', b'"token_scores":[[1]]'],
            ]
        ],
        (b'data: {"choices":{"text":"a"}}\n\n', "which is no completion"),
        (b'data: {"choices":["a"]}\n\n', "which is no completion"),
        (b'data: {"choices":[null]}\n\n', "which is no completion"),
    ],
)
async def test_what_makes_none_is_an_error_in_words(answer: bytes, words: str) -> None:
    said = await _error(answer)
    assert words in said
    assert said.isprintable()
    assert len(said) < 400


async def test_an_error_in_the_middle_leaves_what_came() -> None:
    parts = [b"data: " + X + b"\n\n", b'event: error\ndata: {"error":{"message":"m","code":']
    pieces = parse_stream(_in([*parts, b'"out_of_memory"}}\n\n']))
    assert await anext(pieces) == Piece("a + b")
    with pytest.raises(OutOfMemory, match="m"):
        await anext(pieces)


async def test_half_a_surrogate_pair_is_left_out() -> None:
    assert await _text(b'{"choices":[{"text":"a\\ud83d \\ud83d\\ude00"}]}') == "a 😀"


async def test_a_character_whose_halves_come_in_two_chunks() -> None:
    texts = ["a\\ud83d", "", "\\ude00b\\ud83d", "c"]
    events = [b'data: {"choices":[{"text":"%s"}]}\n\n' % text.encode() for text in texts]
    assert await _text(*events) == "a😀bc"


async def test_a_usage_that_is_one_is_counted() -> None:
    body = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    pieces = parse_stream(_in([b"data: " + json.dumps(body).encode() + b"\n\n"]))
    assert [piece async for piece in pieces] == [Piece(usage=Usage(3, 0, 2))]


@pytest.mark.parametrize("chunk", [b"x" * 1000, b"data: " + X + b"\n\n", b": x\n", b"\n"])
async def test_an_answer_without_end(chunk: bytes) -> None:
    said = await _error(b"data: " + X + b"\n\n", *[chunk] * 10_000, most=9_000)
    assert said == "The server sent an answer without end, of more than 9000 bytes."


async def test_a_line_without_end() -> None:
    said = await _error(b"data: ", *[b"x" * (1 << 20)] * 9)
    assert said == "The server sent a line without end."
    said = await _error(*[b"data: " + b"x" * (1 << 20) + b"\n"] * 9)
    assert said == "The server sent a line without end."


@given(st.lists(st.binary(min_size=0, max_size=8), max_size=20))
async def test_events_are_the_same_wherever_bytes_are_cut(parts: list[bytes]) -> None:
    text = b"data: " + b"\n".join(parts)
    whole = [event async for event in sse.events(_in([text]))]
    bytewise = (text[at : at + 1] for at in range(len(text)))
    assert [event async for event in sse.events(_in(bytewise))] == whole
