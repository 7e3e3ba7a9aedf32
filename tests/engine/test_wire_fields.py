"""Requests whose fields have every kind of value."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from engine import wire
from engine.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

WRONG: list[Any] = [
    *[None, True, -1, 0.5, 2**63, 10**400, 1e308, "", "x", "\ud800", "\0", [], ["x"], [None]],
    *[[[]], {}, {"x": 1}, [{"path": 1, "text": []}], [{"role": "x", "content": "y"}], "../../etc"],
    *[float("nan"), float("inf"), [{"path": "a", "text": "b", "c": 1}], [{}], "é" * 1000],
]
TEXT = [
    *["model", "max_tokens", "stop", "temperature", "top_k", "top_p", "seed", "speculate", "n"],
    *["document", "stream", "wait", "echo", "logprobs", "best_of", "logit_bias", "user", "x", ""],
]


@pytest.mark.parametrize(
    ("parse", "usual", "fields"),
    [
        (
            wire.parse_completion,
            {"prompt": "a"},
            [
                *TEXT,
                "prompt",
                "suffix",
                "min_tokens",
                "one_line",
                "path",
                "context",
                "hint",
                "window",
            ],
        ),
        (
            wire.parse_chat,
            {"messages": [{"role": "user", "content": "a"}]},
            [*TEXT, "messages"],
        ),
        (
            lambda body: wire.structure(body, wire.LoadRequest),
            {},
            ["model", "format", "ability", "x", ""],
        ),
    ],
)
def test_a_field_of_any_value_is_taken_or_named(
    parse: Callable[[wire.JSON], object], usual: wire.JSON, fields: list[str]
) -> None:
    for field, wrong in itertools.product(fields, WRONG):
        body = wire.decode(json.dumps(usual | {field: wrong}).encode())
        said = _refusal(parse, body)
        assert said is None or (field in said and len(said) < 200)


def _refusal(parse: Callable[[wire.JSON], object], body: wire.JSON) -> str | None:
    try:
        parse(body)
    except RequestError as error:
        return str(error)
    return None
