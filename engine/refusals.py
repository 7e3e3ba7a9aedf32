"""Errors in words for what a server elsewhere answers with a status other than 200."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from time import time
from typing import TYPE_CHECKING

from engine import wire
from engine.errors import CaretError, EngineError, EngineUnavailable, NotCapable, RequestError
from engine.network import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

_INFILLING = re.compile(
    r"\b(suffix|support\w* insert\w*|infill\w*|fim|fill[- ]in[- ]the[- ]middle)\b", re.I
)
_LACKING = re.compile(
    r"support|permit|allow|unknown|unrecogni[sz]ed|unexpected|extra|invalid|disabled"
    r"|(?:not|only)(?: \w+)? (?:implemented|available)",
    re.I,
)
_CHAT_ONLY = re.compile(r"is a chat model|not a completion model|use.{0,40}chat/completions", re.I)
_LONGEST_PAUSE_S = 600.0


def refusal(url: httpx.URL, response: httpx.Response, body: bytes) -> CaretError:
    """Return the error that a refused request ends with."""
    where, status, said = shown(url), response.status_code, wire.error_text(body)
    reason = wire.beginning(response.reason_phrase.encode())
    told = f"{status}: {said}" if said else f"{status} {reason}".strip()
    # Of a code of ours no more is believed: a stranger's "superseded" would be passed over.
    lacks = isinstance(wire.parse_error(body), NotCapable) or _cannot_infill(status, said)
    if lacks and url.path.endswith("/completions"):
        return NotCapable(
            f"{where} cannot fill in the middle ({told}). Use a model that can, such as "
            "qwen2.5-coder:1.5b-base in Ollama, or leave caret.fim.endpoint empty for the engine "
            "on this machine."
        )
    if status < 400 and "Location" in response.headers:
        return RequestError(f"{where} redirects to {_target(response)} ({status}). {_FOLLOW}")
    if status >= 500 or status in (408, 425, 429):
        again = pause(response)
        when = f"in {again:.0f} seconds" if again else "later"
        return EngineError(f"{where} failed ({told}). Try again {when}.")
    kind, sentence = _MEANINGS.get(status, (RequestError, "{where} refused the request ({told})."))
    return kind(sentence.format(where=where, told=told))


_FOLLOW = "Caret follows no redirect, which could carry your code elsewhere: change the endpoint."
_ADVICE = "Check the endpoint and the model's name."
_MEANINGS: Mapping[int, tuple[type[CaretError], str]] = {
    401: (EngineUnavailable, "{where} wants another API key ({told})."),
    403: (EngineUnavailable, "{where} wants another API key, or forbids this ({told})."),
    402: (EngineUnavailable, "{where} wants to be paid ({told}). See your account there."),
    404: (RequestError, "{where} is not there ({told}). " + _ADVICE),
    405: (RequestError, "{where} takes no requests for text ({told}). " + _ADVICE),
    407: (EngineUnavailable, "The proxy to {where} wants a user and a password ({told})."),
    413: (RequestError, "{where} takes no request so large ({told}). Lower the setting window."),
}


def pause(response: httpx.Response) -> float:
    """Return for how many seconds the server wants to be left alone; 0 where it does not say."""
    told = response.headers.get("Retry-After", "").strip()
    if told.isdecimal() and len(told) < 10:
        seconds = float(told)
    else:
        try:
            seconds = parsedate_to_datetime(told).timestamp() - time()
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return min(max(seconds, 0.0), _LONGEST_PAUSE_S)


def _cannot_infill(status: int, said: str) -> bool:
    if status not in (400, 404, 405, 422, 500, 501):
        return False
    lacks = _INFILLING.search(said) and _LACKING.search(said)
    return bool(lacks or _CHAT_ONLY.search(said))


def nowhere(url: httpx.URL) -> CaretError:
    """Return the error for a redirect to what is no address, at which httpx stops."""
    return RequestError(f"{shown(url)} redirects to an address that is none. {_FOLLOW}")


def _target(response: httpx.Response) -> str:
    """Return where a redirect leads, without what may be secret in it."""
    target = response.request.url.join(response.headers["Location"])
    return shown(target.copy_with(query=None, fragment=None))
