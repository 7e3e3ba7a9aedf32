"""A small model that follows instructions, code for it, and how it is asked about a place."""

from __future__ import annotations

from typing import Any

MODEL = {"instruct": {"model": "qwen2.5-coder-0.5b", "maxTokens": 400}}
OFF = {"completion": {"enable": False}}
STATS = '''"""Numbers that tell about many."""


def mean(values: list[float]) -> float:
    total = 0.0
    for value in values:
        total += valeu
    return total / len(values)
'''


def place(uri: str, line: int, until: int | None = None, **more: Any) -> dict[str, Any]:
    end = {"line": line if until is None else until, "character": 0}
    start = {"line": line, "character": 0}
    return {"textDocument": {"uri": uri}, "range": {"start": start, "end": end}, **more}
