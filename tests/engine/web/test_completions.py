from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from engine import lockfile, wire
from engine.api import ChatMessage, ChatRequest, CompletionRequest, Sampling, Snippet
from engine.errors import FetchError, NotCapable, RequestError

if TYPE_CHECKING:
    import httpx

    from tests.engine.web.conftest import Loader, ScriptedModel

DEADLINE_S = 60.0
MODEL = "smollm2-135m"
BODY = {"model": MODEL, "prompt": "def f(", "suffix": "\n"}
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "Why?"}]}


async def _post(http: httpx.AsyncClient, body: object, path: str = "/v1/completions") -> Any:
    response = await http.post(path, json=body)
    return response.status_code, response.json()


async def _stream(http: httpx.AsyncClient, body: wire.JSON, path: str) -> list[Any]:
    async with http.stream("POST", path, json=body | {"stream": True}) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line async for line in response.aiter_lines() if line]
    assert lines.pop() == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def _code(status_and_body: tuple[int, Any]) -> tuple[int, str]:
    status, body = status_and_body
    return status, body["error"]["code"]


async def test_completion(http: httpx.AsyncClient, model: ScriptedModel) -> None:
    extra = {"temperature": 0.5, "top_k": 3, "stop": "x", "context": [{"path": "b", "text": "c"}]}
    status, body = await _post(
        http, BODY | extra | {"document": "d", "path": "a.py", "hint": "# d\n"}
    )
    assert status == 200
    assert body["object"] == "text_completion"
    assert body["choices"] == [
        {"index": 0, "text": "one two", "logprob": -1.0, "finish_reason": "stop"}
    ]
    assert body["usage"]["prompt_tokens_details"] == {"cached_tokens": 4}
    assert body["timings"] == {"prefill_ms": 1.5, "decode_ms": 2.5}
    assert model.requests == [
        CompletionRequest(
            MODEL,
            "def f(",
            "\n",
            stop=("x",),
            sampling=Sampling(0.5, 3),
            document="d",
            path="a.py",
            context=(Snippet("b", "c"),),
            hint="# d\n",
        )
    ]


async def test_several_choices(http: httpx.AsyncClient) -> None:
    _, body = await _post(http, BODY | {"n": 3})
    assert [(choice["index"], choice["text"]) for choice in body["choices"]] == [
        (0, "one two"),
        (1, "one two"),
        (2, "one two"),
    ]


async def test_streamed_choices_have_their_index(http: httpx.AsyncClient) -> None:
    chunks = await _stream(http, BODY | {"n": 2}, "/v1/completions")
    shown = [(chunk["choices"][0]["index"], chunk["choices"][0]["text"]) for chunk in chunks]
    assert shown == [(0, "one"), (0, " two"), (0, ""), (1, "one"), (1, " two"), (1, "")]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[2:]] == [
        *["stop", None, None, "stop"]
    ]
    assert ["usage" in chunk for chunk in chunks] == [False] * 5 + [True]
    assert len({chunk["id"] for chunk in chunks}) == 1


async def test_chat(http: httpx.AsyncClient, model: ScriptedModel) -> None:
    path = "/v1/chat/completions"
    _, body = await _post(http, CHAT, path)
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "one two"}
    chunks = await _stream(http, CHAT, path)
    assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks) == "one two"
    assert model.requests[0] == ChatRequest(MODEL, (ChatMessage("user", "Why?"),))


async def test_text_is_streamed_while_it_is_written(
    http: httpx.AsyncClient, model: ScriptedModel
) -> None:
    model.gate.clear()
    async with http.stream("POST", "/v1/completions", json=BODY | {"stream": True}) as response:
        first = await anext(response.aiter_bytes())
        assert b'"text":"one"' in first
        assert not model.closed.is_set()


@pytest.mark.parametrize("stream", [False, True])
async def test_client_that_hangs_up_cancels(
    http: httpx.AsyncClient, model: ScriptedModel, stream: bool
) -> None:
    model.gate.clear()
    asked = asyncio.create_task(http.post("/v1/completions", json=BODY | {"stream": stream}))
    async with asyncio.timeout(DEADLINE_S):
        while not model.requests:
            await asyncio.sleep(0.005)
    asked.cancel()
    assert await asyncio.to_thread(model.closed.wait, DEADLINE_S)
    assert 'outcome="cancelled"} 1' in await _metrics_with(http, "cancelled")


async def _metrics_with(http: httpx.AsyncClient, words: str) -> str:
    async with asyncio.timeout(DEADLINE_S):
        while words not in (text := (await http.get("/metrics")).text):
            await asyncio.sleep(0.005)
    return text


async def test_newer_request_of_the_document_supersedes(
    http: httpx.AsyncClient, model: ScriptedModel
) -> None:
    model.gate.clear()
    older = asyncio.create_task(_post(http, BODY | {"document": "a.py"}))
    async with asyncio.timeout(DEADLINE_S):
        while not model.requests:
            await asyncio.sleep(0.005)
    newer = asyncio.create_task(_post(http, BODY | {"document": "a.py"}))
    assert _code(await older) == (409, "superseded")
    model.gate.set()
    assert (await newer)[0] == 200


async def test_reading_ahead_ends_when_anything_is_asked(
    http: httpx.AsyncClient, model: ScriptedModel
) -> None:
    model.gate.clear()
    ahead = asyncio.create_task(_post(http, BODY | {"max_tokens": 0, "document": "a.py"}))
    async with asyncio.timeout(DEADLINE_S):
        while not model.requests:
            await asyncio.sleep(0.005)
    asked = asyncio.create_task(_post(http, BODY | {"document": "b.py"}))
    assert _code(await ahead) == (409, "superseded")
    model.gate.set()
    assert (await asked)[0] == 200


async def test_completion_waits_for_its_model(http: httpx.AsyncClient, loader: Loader) -> None:
    loader.gate.clear()
    waiting = asyncio.create_task(_post(http, BODY))
    assert _code(await _post(http, BODY | {"wait": False})) == (503, "engine_unavailable")
    loader.gate.set()
    assert (await waiting)[0] == 200
    assert loader.loads == [MODEL]


async def test_who_gives_up_waiting_does_not_stop_the_load(
    http: httpx.AsyncClient, loader: Loader
) -> None:
    loader.gate.clear()
    waiting = asyncio.create_task(_post(http, BODY))
    async with asyncio.timeout(DEADLINE_S):
        while not loader.loads:
            await asyncio.sleep(0.005)
    waiting.cancel()
    loader.gate.set()
    assert (await _post(http, BODY))[0] == 200


async def test_model_that_cannot_be_had(http: httpx.AsyncClient, loader: Loader) -> None:
    loader.failure = FetchError("No source has it. Check the network.")
    for wait in (True, True, False):
        status, body = await _post(http, BODY | {"wait": wait})
        assert (status, body["error"]["message"]) == (503, "No source has it. Check the network.")
    assert loader.loads == [MODEL]
    assert _code(await _post(http, BODY | {"model": "gpt-9"})) == (404, "unknown_model")


@pytest.mark.parametrize("stream", [False, True])
async def test_error_before_the_first_text_has_its_status(
    http: httpx.AsyncClient, model: ScriptedModel, stream: bool
) -> None:
    model.failure, model.fails_early = NotCapable("It cannot. Use another."), True
    assert _code(await _post(http, BODY | {"stream": stream})) == (422, "not_capable")


async def test_error_in_a_stream_is_its_last_event(
    http: httpx.AsyncClient, model: ScriptedModel
) -> None:
    model.failure = RequestError("Too long. Send less.")
    text, error = await _stream(http, BODY, "/v1/completions")
    assert text["choices"][0]["text"] == "one"
    assert error["error"]["code"] == "bad_request"


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"{", "not JSON"), (b"[]", "JSON object"), (b'{"prompt": 3}', "field prompt must be a")],
)
async def test_malformed_request(http: httpx.AsyncClient, body: bytes, words: str) -> None:
    response = await http.post("/v1/completions", content=body)
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]
    assert 'kind="completion",outcome="bad_request"} 1' in (await http.get("/metrics")).text


async def test_metrics_count_tokens(http: httpx.AsyncClient) -> None:
    await _post(http, BODY)
    text = (await http.get("/metrics")).text
    for line in (
        'caret_requests_total{kind="completion",outcome="ok"} 1',
        'caret_prompt_tokens_total{kind="completion"} 7',
        'caret_cached_tokens_total{kind="completion"} 4',
        'caret_generated_tokens_total{kind="completion"} 2',
        'caret_generating_passes_total{kind="completion"} 1',
        'caret_drafted_tokens_total{kind="completion"} 3',
        'caret_accepted_tokens_total{kind="completion"} 1',
        'caret_prefill_seconds_total{kind="completion"} 0.0015',
        'caret_decode_seconds_total{kind="completion"} 0.0025',
        'caret_models{phase="ready"} 1',
        "caret_queue_depth 0",
        "# TYPE caret_requests_total counter",
    ):
        assert line in text.splitlines()


async def test_fault_is_hidden_and_logged_without_the_prompt(
    http: httpx.AsyncClient, model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: CompletionRequest) -> Any:
        raise ZeroDivisionError(f"no way to write {request.prompt}")

    model.complete = broken  # type: ignore[method-assign]  # as a fault of ours would
    with caplog.at_level(logging.INFO):
        status, body = await _post(http, BODY | {"prompt": "my secret"})
    assert status == 500
    assert body["error"]["code"] == "engine_error"
    assert "ZeroDivisionError in a request" in caplog.text
    assert "secret" not in caplog.text + json.dumps(body)


async def test_stopping_answers_what_is_open(
    http: httpx.AsyncClient, model: ScriptedModel, loader: Loader
) -> None:
    model.gate.clear()
    streamed = asyncio.create_task(_stream(http, BODY, "/v1/completions"))
    await _metrics_with(http, "caret_queue_depth 1")  # the one that has begun
    queued = asyncio.create_task(_post(http, BODY))
    await _metrics_with(http, "caret_queue_depth 2")
    loader.gate.clear()
    waiting = asyncio.create_task(_post(http, BODY | {"model": "qwen2.5-coder-0.5b"}))
    await _metrics_with(http, 'caret_models{phase="loading"} 1')
    assert (await http.post("/shutdown")).json() == {"status": "stopping"}
    assert _code(await queued) == (503, "engine_lost")
    assert _code(await waiting) == (503, "engine_lost")
    assert (await streamed)[-1]["error"]["code"] == "engine_lost"
    assert await asyncio.to_thread(model.closed.wait, DEADLINE_S)
    assert lockfile.read_address() is None
    loader.gate.set()
