"""`initialize` requests in all the forms in which clients write them."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from lsp_server.framing import frame, read_message
from lsp_server.greeting import greet, is_id, readable


def _answer(**members: object) -> dict[str, Any] | None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}} | members
    out = io.BytesIO()
    body, answered = greet(io.BytesIO(frame(json.dumps(message).encode())), out)
    assert body
    if answered is None:
        assert not out.getvalue()
        return None
    answer: dict[str, Any] = json.loads(read_message(io.BytesIO(out.getvalue())) or b"")
    return answer


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["utf-32", "utf-16"], "utf-32"),
        (["utf-7", "utf-8"], "utf-8"),
        (["utf-8", 5, None], "utf-8"),
        (["utf-7"], "utf-16"),
        ([], "utf-16"),
        (None, "utf-16"),
        ("utf-8", "utf-16"),
        ({"utf-8": 1}, "utf-16"),
        ([["utf-8"]], "utf-16"),
    ],
)
def test_encodings(offered: object, chosen: str) -> None:
    answer = _answer(params={"capabilities": {"general": {"positionEncodings": offered}}})
    assert answer
    assert answer["result"]["capabilities"]["positionEncoding"] == chosen


@pytest.mark.parametrize("capabilities", [{}, None, [], "x", {"general": 5}, {"textDocument": 7}])
def test_capabilities_of_any_kind(capabilities: object) -> None:
    answer = _answer(params={"capabilities": capabilities, "processId": "x"})
    assert answer
    assert answer["result"]["capabilities"]["positionEncoding"] == "utf-16"


@pytest.mark.parametrize(
    ("params", "uris"),
    [
        ({}, []),
        ({"rootPath": "/a b"}, ["file:///a%20b"]),
        ({"rootPath": "/a", "rootUri": "file:///b"}, ["file:///b"]),
        ({"rootPath": None, "rootUri": None, "workspaceFolders": None}, []),
        ({"rootUri": "file:///b", "workspaceFolders": []}, ["file:///b"]),
        (
            {"rootUri": "file:///b", "workspaceFolders": [{"uri": "file:///c", "name": "c"}]},
            ["file:///c"],
        ),
        ({"workspaceFolders": [{"uri": "file:///c"}, {"uri": 5}, 7, None, {}]}, ["file:///c"]),
        ({"rootPath": 5, "rootUri": {}, "workspaceFolders": "x"}, []),
        ({"rootPath": "//x"}, ["file:////x"]),
    ],
)
def test_folders(params: dict[str, Any], uris: list[str]) -> None:
    assert [folder["uri"] for folder in readable(params)["workspaceFolders"]] == uris


@pytest.mark.parametrize("pid", ["1", 1.5, True, None, [], 2**40, -1])
def test_a_process_that_cannot_be_seen(pid: object) -> None:
    assert readable({"processId": pid})["processId"] is None


@pytest.mark.parametrize("ours", [1, -3, "a", "", 2**80, 1.0])
def test_ids_are_given_back(ours: object) -> None:
    answer = _answer(id=ours)
    assert answer
    assert answer["id"] == ours


@pytest.mark.parametrize(
    "members",
    [{"id": None}, {"id": True}, {"params": None}, {"params": []}, {"jsonrpc": 2}, {"method": 1}],
)
def test_what_is_left_to_the_server(members: dict[str, object]) -> None:
    assert _answer(**members) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"[" * 100_000, b"\xff"])
def test_what_is_no_message(body: bytes) -> None:
    assert greet(io.BytesIO(frame(body)), io.BytesIO()) == (body, None)


def test_ids() -> None:
    assert not any(map(is_id, [None, True, [], {}, float("nan"), float("inf")]))
