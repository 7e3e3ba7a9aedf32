"""Reading settings: what is right is kept, what is wrong is reported and defaulted."""

from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server import settings_table
from lsp_server.settings import CompletionSettings, Settings, read_settings


def test_nothing_given() -> None:
    assert read_settings() == read_settings(None, {}, {"fim": None}) == (Settings(), [])


def test_later_sections_lie_on_top() -> None:
    first = {"completion": {"multiline": "never", "maxTokens": 7}, "fim": {"model": "a"}}
    second = {"completion": {"maxTokens": 8, "multiline": None}}
    read, problems = read_settings(first, second)
    assert read.completion == CompletionSettings(multiline="never", max_tokens=8)
    assert (read.fim.model, problems) == ("a", [])


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"completion": {"maxTokens": "9"}}, "caret.completion.maxTokens must be a whole number"),
        ({"completion": {"maxTokens": 0}}, "caret.completion.maxTokens must be from 1 to 1024"),
        ({"completion": {"maxTokens": True}}, "caret.completion.maxTokens must be a whole number"),
        ({"completion": {"maxTokens": 1.5}}, "caret.completion.maxTokens must be a whole number"),
        ({"completion": {"enable": 1}}, "caret.completion.enable must be true or false"),
        ({"completion": {"multiline": "yes"}}, "must be one of auto, always, never, not 'yes'"),
        ({"completion": {"multiline": []}}, "must be one of auto, always, never, not []"),
        ({"completion": {"confidence": float("nan")}}, "must be from 0 to 1"),
        ({"completion": {"max_tokens": 9}}, "caret.completion.max_tokens is not a setting"),
        ({"privacy": {"exclude": "*.py"}}, "caret.privacy.exclude must be a list of strings"),
        ({"privacy": {"exclude": [1]}}, "caret.privacy.exclude must be a list of strings"),
        ({"fim": {"model": 5}}, "caret.fim.model must be a string, not 5; '' is used."),
        ({"fim": "qwen"}, "caret.fim must be an object"),
        ({"engine": {"threads": -1}}, "caret.engine.threads must be from 0 to 1024"),
        ({"nonsense": {}}, "caret.nonsense is not a setting"),
        ([1], "caret must be an object"),
        ("x" * 10_000, "caret must be an object"),
    ],
)
def test_wrong_values(given: object, problem: str) -> None:
    right = {"completion": {"debounceMs": 5}}
    read, (said,) = read_settings(right, given)
    assert problem in said
    assert len(said) < 200
    assert read == read_settings(right)[0]


def test_right_values_beside_wrong_ones_count() -> None:
    given = {"completion": {"maxTokens": "x", "debounceMs": 5}, "privacy": {"exclude": ["a"]}}
    read, problems = read_settings(given, given)
    assert read.completion.debounce_ms == 5
    assert read.privacy.exclude == ("a",)
    assert len(problems) == 1


def test_a_wrong_item_of_a_list_costs_no_other_item() -> None:
    settings, problems = read_settings({"privacy": {"exclude": ["mine/", None, "*.py", 5]}})
    assert settings.privacy.exclude == ("mine/", "*.py")
    assert problems == [
        "caret.privacy.exclude: None is not a string; ignored.",
        "caret.privacy.exclude: 5 is not a string; ignored.",
    ]


def test_every_setting_is_documented() -> None:
    rows = list(settings_table.rows())
    assert all(row.text for row in rows)
    names = {row.name for row in rows}
    assert {"caret.fim.model", "caret.completion.maxTokens", "caret.engine.idleMinutes"} <= names
    docs = Path(__file__).parents[2] / "docs" / "settings.md"
    assert settings_table.markdown() in docs.read_text()


@pytest.mark.parametrize(
    "section",
    [
        {"caret": {"completion": {"enable": False}, "privacy": {"exclude": ["a"]}}},
        {"caret": {"completion": {"enable": False}}, "privacy.exclude": ["a"]},
        {"caret.completion.enable": False, "caret.privacy.exclude": ["a"], "caret": {}},
        {"completion.enable": False, "completion": {}, "caret.privacy": {"exclude": ["a"]}},
    ],
)
def test_names_as_the_documentation_writes_them(section: dict[str, object]) -> None:
    """Editors that give a server what the user wrote: what is to be private must be."""
    settings, problems = read_settings(section)
    assert not problems
    assert not settings.completion.enable
    assert "a" in settings.privacy.exclude


@pytest.mark.parametrize("odd", [{"caret": 5}, {"caret.a.b": 1}, {"": 1}, {".": 1}, {"caret.": 1}])
def test_names_that_are_none(odd: dict[str, object]) -> None:
    settings, problems = read_settings(odd)
    assert (settings, len(problems)) == (Settings(), 1)
