"""The fields of OpenAI's that one server takes: its refusals teach which it does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.wire import JSON

_STANDARD = frozenset(
    {
        "model",
        "prompt",
        "suffix",
        "messages",
        "max_tokens",
        "temperature",
        "top_p",
        "seed",
        "stop",
        "n",
    }
)
_TEACHES = (400, 422, 500, 501)
"""Statuses by which servers refuse a field."""
_FEW_STOPS = 4
"""OpenAI takes no more."""
_OPTIONAL: Mapping[str, str] = {
    "stream_options": r"\bstream_options\b|\binclude_usage\b",
    "stream": r"\bstream(?:ing)?\b(?=.*(?:support|allow|permit|extra|implement|available|false))",
    "top_p": r"\btop_p\b",
    "seed": r"\bseed\b",
    "n": r"[\"'`]n[\"'`]|\bn:|\bn (?:must|is|>)",
    "stop": r"\bstop\b",
    "temperature": r"\btemperature\b",
}
"""Fields that change little, each with how a refusal names it, in the order in which they go."""


class Dialect:
    """Puts requests as one server wants them."""

    def __init__(self, model: str) -> None:
        """`model` is the server's name for it; empty where it has only one."""
        self._model = model
        self._without: set[str] = set()
        self._most_stops: int | None = None
        self._new_name = False
        """The limit is called `max_completion_tokens`."""

    def body(self, body: JSON) -> JSON:
        """Return what of a request this server understands; what asks for nothing is left out."""
        body = body | {"model": self._model, "stream": True}
        wanted = {name: value for name, value in body.items() if name in _STANDARD}
        if not self._model:
            del wanted["model"]
        wanted["stop"] = list(wanted.get("stop") or ())[: self._most_stops]
        if wanted.get("n") == 1:
            del wanted["n"]
        if self._new_name:
            wanted["max_completion_tokens"] = wanted.pop("max_tokens")
        wanted |= {"stream": True, "stream_options": {"include_usage": True}}
        return {
            name: value
            for name, value in wanted.items()
            if name not in self._without and (name != "stop" or value)
        }

    def learn(self, status: int, said: str, sent: JSON) -> bool:
        """Take a refusal of the body `sent` to heart; False where that changes nothing."""
        if status not in _TEACHES:
            return False
        if "max_completion_tokens" in said and "max_tokens" in sent:
            self._new_name = True
            return True
        refused = (field for field, naming in _OPTIONAL.items() if re.search(naming, said, re.I))
        field = next((field for field in refused if field in sent), None)
        if field == "stop" and len(sent["stop"]) > _FEW_STOPS:
            self._most_stops = _FEW_STOPS
        elif field == "stream":
            self._without |= {"stream", "stream_options"}
        elif field:
            self._without.add(field)
        return field is not None
