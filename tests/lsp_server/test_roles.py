"""Which model plays which part, for what a user may write into the settings."""

from __future__ import annotations

import pytest

from engine.api import ChatMessage, ChatRequest
from engine.models import DEFAULT_FIM, DEFAULT_INSTRUCT
from lsp_server.roles import SAFETY_PROMPT, Part, chosen, with_safety_prompt
from lsp_server.settings import FimSettings, InstructSettings, Settings, read_settings

HERE, THERE = "http://127.0.0.1:1", "http://127.0.0.1:2"
SMALL, BASE = "qwen2.5-coder-0.5b", "codellama-7b"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARET_API_KEY", "k")
    monkeypatch.delenv("CARET_INSTRUCT_API_KEY", raising=False)


@pytest.mark.parametrize(
    ("fim", "instruct", "answers"),
    [
        ({}, {}, (DEFAULT_FIM, "")),
        ({"model": SMALL, "format": "int8"}, {}, (SMALL, "")),
        ({"model": BASE}, {}, (DEFAULT_INSTRUCT, "")),
        ({"model": "no-such-model"}, {}, ("no-such-model", "")),
        ({"model": BASE}, {"model": SMALL}, (SMALL, "")),
        ({"endpoint": HERE}, {}, ("", HERE)),
        ({"endpoint": HERE}, {"model": SMALL}, (SMALL, "")),
        ({"model": SMALL}, {"endpoint": THERE, "model": "big"}, ("big", THERE)),
    ],
)
def test_who_answers(
    fim: dict[str, str], instruct: dict[str, str], answers: tuple[str, str]
) -> None:
    settings, problems = read_settings({"fim": fim, "instruct": instruct})
    assert problems == []
    part = chosen(settings, "instruct")
    assert (part.model, part.endpoint, part.ability) == (*answers, "instruct")
    completing = chosen(settings, "infill")
    named = fim.get("model", "" if fim.get("endpoint") else DEFAULT_FIM)
    assert (completing.model, completing.endpoint) == (named, fim.get("endpoint", ""))


def test_one_set_of_weights_is_held_in_one_format() -> None:
    settings = Settings(FimSettings(SMALL, format="int8"), InstructSettings(format="nf4"))
    assert chosen(settings, "instruct").format == "int8"


@pytest.mark.parametrize(
    ("fim", "own", "key"),
    [("", None, "k"), (THERE, None, "k"), (HERE, None, None), (HERE, "own", "own")],
)
def test_a_key_goes_to_its_own_server_only(
    monkeypatch: pytest.MonkeyPatch, fim: str, own: str | None, key: str | None
) -> None:
    if own:
        monkeypatch.setenv("CARET_INSTRUCT_API_KEY", own)
    settings = Settings(FimSettings(endpoint=fim), InstructSettings(endpoint=THERE))
    part = chosen(settings, "instruct")
    assert part.key == key
    assert "own" not in repr(part)


def test_the_safety_prompt_stands_before_everything() -> None:
    system, user = ChatMessage("system", "You explain code."), ChatMessage("user", "Why?")
    alone = with_safety_prompt(ChatRequest("", (user,)))
    assert alone.messages == (ChatMessage("system", SAFETY_PROMPT), user)
    joined = with_safety_prompt(ChatRequest("", (system, user)))
    assert joined.messages[0].content == f"{SAFETY_PROMPT}\n\nYou explain code."
    assert joined.messages[1:] == (user,)


def test_titles_for_people() -> None:
    assert Part("infill", "", HERE).title == HERE
    assert Part("infill", SMALL).title == SMALL


def test_the_safety_prompt_is_that_of_code_llamas_tokenizer() -> None:
    from transformers.models.code_llama import tokenization_code_llama as published

    assert published.DEFAULT_SYSTEM_PROMPT == SAFETY_PROMPT
