"""Servers elsewhere that refuse: a field, a model, a key, for now, or all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from engine.api import ChatMessage, ChatRequest, CompletionRequest, Sampling
from engine.errors import (
    CaretError,
    EngineError,
    EngineUnavailable,
    NotCapable,
    RequestError,
)
from engine.remote import Endpoint, RemoteClient
from tests.engine.web.elsewhere import all_of, ask

if TYPE_CHECKING:
    from tests.engine.web.elsewhere import Other

ASKED = CompletionRequest(
    "m", "a", "b", stop=("1", "2", "3", "4", "5"), sampling=Sampling(seed=3), n=2
)
CHAT = ChatRequest("m", (ChatMessage("user", "Why?"),))


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, {"object": "error", "message": "too long"}, RequestError, "too long"),
        (404, {"detail": "Not Found"}, RequestError, r"is not there \(404: Not Found\)"),
        (405, {}, RequestError, "takes no requests for text"),
        (401, {"error": "who?"}, EngineUnavailable, "another API key"),
        (402, {"error": {"message": "no credit"}}, EngineUnavailable, "wants to be paid .*credit"),
        (403, {"error": {"message": None}}, EngineUnavailable, "another API key, or forbids"),
        (407, "", EngineUnavailable, "The proxy to .* wants a user"),
        (408, "", EngineError, "Try again later"),
        (413, "", RequestError, "no request so large"),
        (429, {"error": "slow down"}, EngineError, "slow down.* Try again later"),
        (500, "oops", EngineError, "oops"),
        (204, None, EngineError, r"\(status 204\) sent nothing"),
        (202, {"id": 1}, EngineError, r"\(status 202\) sent .* which is no completion"),
        # Codes of our own engine's errors: of a stranger they count for little.
        (409, {"error": {"code": "superseded", "message": "x" * 999}}, RequestError, r"x{200}\)"),
        (403, {"error": {"code": "licence_not_accepted"}}, EngineUnavailable, "another API key"),
        (200, {"error": {"code": "superseded", "message": "\x1b[1m"}}, EngineError, r": \[1m"),
        (422, {"error": {"code": "not_capable", "message": "no"}}, NotCapable, r"\(422: no\)"),
    ],
)
async def test_statuses(
    other: Other, status: int, body: object, kind: type[CaretError], words: str
) -> None:
    other.response = Response(status_code=204) if body is None else JSONResponse(body, status)
    with pytest.raises(kind, match=words) as caught:
        await ask(Endpoint(other.url, api_key="k3y"))
    assert "k3y" not in str(caught.value)


async def test_a_web_page_is_told_by_its_title(other: Other) -> None:
    page = "<html><head><title>502 Bad\nGateway</title></head><body>nginx</body></html>"
    other.response = HTMLResponse(page, 502)
    with pytest.raises(EngineError, match=r"\(502: 502 Bad Gateway \(a web page\)\)"):
        await ask(Endpoint(other.url))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["/v1/other", "http://user:pw@127.0.0.2:1/x?key=1", "http://["])
async def test_no_redirect_is_followed(other: Other, status: int, to: str) -> None:
    other.response = Response(status_code=status, headers={"Location": to})
    with pytest.raises(RequestError, match=r"redirects to .* change the endpoint") as caught:
        await ask(Endpoint(other.url, api_key="k3y"))
    assert len(other.requests) == 1
    assert not any(secret in str(caught.value) for secret in ("k3y", "pw", "key=1"))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": {"message": "registry/x:latest does not support insert"}}),
        (400, {"error": {"message": "suffix is not currently supported"}}),
        (500, {"error": {"message": "Unsupported param: suffix"}}),
        (501, "Infill is not supported by this model"),
        (400, {"error": {"message": "Unsupported parameter", "param": "suffix"}}),
        (400, {"error": "'suffix' is not yet implemented"}),
        (400, {"error": {"message": "FIM is only available at another address"}}),
        (422, {"detail": [{"loc": ["body", "suffix"], "msg": "Extra inputs are not permitted"}]}),
        (404, {"error": {"message": "This is a chat model and not supported in v1/completions"}}),
    ],
)
async def test_a_model_that_cannot_infill_is_asked_once(
    other: Other, status: int, body: object
) -> None:
    other.refusing = lambda sent: JSONResponse(body, status) if "prompt" in sent else None
    client = RemoteClient(Endpoint(other.url))
    for _ in range(10):
        with pytest.raises(NotCapable, match=r"cannot fill in the middle .* such as qwen2.5-coder"):
            await all_of(client.complete(ASKED))
    assert len(other.requests) == 1
    assert await all_of(client.chat(CHAT))  # which it can
    await client.load("")  # as when a person restarts it
    other.refusing = lambda _: None
    assert await all_of(client.complete(ASKED))
    await client.aclose()


async def test_an_answer_that_quotes_the_code_is_no_such_refusal(other: Other) -> None:
    other.response = JSONResponse({"error": "too long: def insert(suffix)"}, 400)
    with pytest.raises(RequestError, match="too long"):
        await ask(Endpoint(other.url))


async def test_a_failure_of_the_servers_own_is_no_such_refusal(other: Other) -> None:
    other.response = JSONResponse({"error": "INSERT is not allowed: the database is closed"}, 500)
    with pytest.raises(EngineError, match="database is closed"):
        await ask(Endpoint(other.url))


async def test_a_server_that_asks_for_a_pause_gets_it(other: Other) -> None:
    other.response = JSONResponse({"error": "busy"}, 429, headers={"Retry-After": "30"})
    client = RemoteClient(Endpoint(other.url))
    for _ in range(3):
        with pytest.raises(EngineError, match=r"busy\). Try again in 30 seconds"):
            await all_of(client.complete(ASKED))
    assert len(other.requests) == 1
    await client.aclose()


@pytest.mark.parametrize("when", ["-1", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "9" * 400])
async def test_a_pause_that_is_none(other: Other, when: str) -> None:
    other.response = JSONResponse({"error": "busy"}, 503, headers={"Retry-After": when})
    client = RemoteClient(Endpoint(other.url))
    for _ in range(2):
        with pytest.raises(EngineError, match="Try again later"):
            await all_of(client.complete(ASKED))
    assert len(other.requests) == 2
    await client.aclose()


def _pydantic(field: str) -> dict[str, Any]:
    told = {"type": "extra_forbidden", "loc": ["body", field], "msg": "Extra inputs are not per"}
    return {"detail": [told | {"input": {"include_usage": True}}]}


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        ("stream_options", _pydantic("stream_options")),
        ("stream_options", {"error": "Unrecognized request argument supplied: stream_options"}),
        ("top_p", {"error": {"message": "`temperature` and `top_p` cannot both be specified"}}),
        ("top_p", {"message": "top_p must be in (0, 1) with temperature 0"}),
        ("seed", _pydantic("seed")),
        ("n", {"error": {"message": "Unknown parameter: 'n'", "param": "n"}}),
        ("temperature", {"error": {"message": "Unsupported value: 'temperature' is not 0.6"}}),
        ("n", {"error": {"message": "Several completions are not supported", "param": "n"}}),
        ("max_tokens", {"error": {"message": "Use 'max_completion_tokens' instead."}}),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
async def test_a_field_that_is_refused_is_left_out_once(
    other: Other, refused: str, said: object, status: int
) -> None:
    other.refusing = lambda sent: JSONResponse(said, status) if refused in sent else None
    client = RemoteClient(Endpoint(other.url))
    for _ in range(3):
        assert await all_of(client.complete(ASKED))
    before, *after = [body for _, _, body in other.requests]
    assert len(after) == 3
    for body in after:
        lacking = before.keys() - body.keys()
        assert lacking == {refused}
        assert body.keys() - before.keys() <= {"max_completion_tokens"}
    await client.aclose()


@pytest.mark.parametrize("said", ["Streaming is not supported here", _pydantic("stream")])
async def test_a_server_that_streams_nothing_answers_whole(other: Other, said: object) -> None:
    other.refusing = lambda sent: JSONResponse(said, 400) if "stream" in sent else None
    other.response = JSONResponse({"choices": [{"text": "x)"}]})
    client = RemoteClient(Endpoint(other.url))
    for _ in range(2):
        pieces = await all_of(client.complete(ASKED))
        assert "".join(piece.text for piece in pieces) == "x)"
    assert len(other.requests) == 3
    await client.aclose()


async def test_several_fields_are_left_out(other: Other) -> None:
    allowed = {"prompt", "suffix", "stream", "max_completion_tokens"}

    def refuse(sent: dict[str, Any]) -> Response | None:
        more = sorted(sent.keys() - allowed, key=lambda field: (field == "max_tokens", field))
        told = "Use 'max_completion_tokens' instead." if more == ["max_tokens"] else ""
        return JSONResponse(_pydantic(more[0]) | {"error": told}, 422) if more else None

    other.refusing = refuse
    assert await ask(Endpoint(other.url), ASKED)


async def test_fewer_stops_are_sent_where_four_are_the_most(other: Other) -> None:
    said = {"error": {"message": "Invalid 'stop': array too long, at most 4"}}
    other.refusing = lambda sent: JSONResponse(said, 400) if len(sent["stop"]) > 4 else None
    assert await ask(Endpoint(other.url), ASKED)
    assert [len(body["stop"]) for _, _, body in other.requests] == [5, 4]


async def test_a_refusal_of_another_field_shows_its_name(other: Other) -> None:
    other.response = JSONResponse(_pydantic("model"), 422)
    with pytest.raises(RequestError, match=r"\(422: model: Extra inputs are not per\)"):
        await ask(Endpoint(other.url))
    assert len(other.requests) == 1


async def test_a_field_that_is_refused_for_ever_ends_in_words(other: Other) -> None:
    other.response = JSONResponse({"error": "top_p, seed, stop, temperature, stream_options"}, 400)
    with pytest.raises(RequestError, match="top_p, seed"):
        await ask(Endpoint(other.url), ASKED)
    assert len(other.requests) < 10
