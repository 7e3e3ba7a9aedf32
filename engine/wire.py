"""Requests, statuses and errors as OpenAI-shaped JSON, for the server and its clients alike.

The fields of `Sampling` stand flat beside OpenAI's on the wire; `null` means the default.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import cattrs
from cattrs.errors import ForbiddenExtraKeysError

from engine.api import Ability, ChatRequest, CompletionRequest, ModelStatus, Sampling
from engine.errors import (
    BY_CODE,
    CaretError,
    DiskFull,
    EngineUnavailable,
    LicenceNotAccepted,
    ModelError,
    ModelMissing,
    NotCapable,
    OutOfMemory,
    RequestError,
    Superseded,
    UnknownModel,
    UnsupportedModel,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = dict[str, Any]
T = TypeVar("T")
R = TypeVar("R", CompletionRequest, ChatRequest)

MAX_CHOICES = 16

_SAMPLING = frozenset(field.name for field in fields(Sampling))
_SAYING = ("error", "message", "detail", "msg", "error_description", "errors", "title")
"""Fields in which servers put the message of an error."""
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_LISTS = frozenset({"stop", "context", "messages"})
_IGNORED = frozenset({"user", "metadata", "store", "stream_options"})
"""Fields of OpenAI's that change nothing about the text."""
_NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "best_of": (1,),
    "echo": (False,),
    "logprobs": (False, 0),
    "logit_bias": ({},),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
}
"""Fields of OpenAI's that Caret lacks, with the values that ask for nothing."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer is to come; beside the request proper on the wire."""

    stream: bool = False
    wait: bool = True
    """Wait for a model that is not in memory yet, or refuse at once."""


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """The body of a POST to /v1/models/load."""

    model: str = ""
    format: str = ""
    """How to hold the weights; empty: whatever suits the machine."""
    ability: Ability = "infill"
    """What it is wanted for."""


class _WrongError(ValueError):
    """A value of the wrong type; says which type is right."""


def _text(value: object, _: type) -> str:
    """A string that has a UTF-8 form: JSON can spell half a surrogate pair, tokenizers cannot."""
    if not isinstance(value, str):
        raise _WrongError("must be a string")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _integer(value: object, _: type) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return value
    raise _WrongError("must be an integer")


def _number(value: object, _: type) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**63:
        return float(value)
    raise _WrongError("must be a number")


def _flag(value: object, _: type) -> bool:
    if isinstance(value, bool):
        return value
    raise _WrongError("must be true or false")


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(bool, _flag)
    return converter


_CONVERTER = _converter()


def encode(payload: object) -> bytes:
    """JSON in UTF-8; half a surrogate pair, which has no UTF-8 form, becomes a question mark."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def decode(body: bytes) -> JSON:
    """The JSON object in `body`; raises RequestError for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The body of the request is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise RequestError("The body of the request must be a JSON object.")
    return value


def parse_completion(body: JSON) -> tuple[CompletionRequest, Delivery]:
    """What a POST to /v1/completions asks for; raises RequestError that names the wrong field."""
    request, delivery = _parse(body, CompletionRequest, _NEUTRAL)
    _require("window", request.window >= 0, "must not be negative")
    _require("min_tokens", request.min_tokens >= 0, "must not be negative")
    _require("n", 1 <= request.n <= MAX_CHOICES, f"must be from 1 to {MAX_CHOICES}")
    return request, delivery


def parse_chat(body: JSON) -> tuple[ChatRequest, Delivery]:
    """What a POST to /v1/chat/completions asks for; raises RequestError as above."""
    request, delivery = _parse(body, ChatRequest, {**_NEUTRAL, "n": (1,)})
    _require("messages", bool(request.messages), "must hold at least one message")
    return request, delivery


def _parse(
    body: JSON, kind: type[R], neutral: Mapping[str, tuple[object, ...]]
) -> tuple[R, Delivery]:
    given = {name: value for name, value in body.items() if value is not None}
    for name in neutral.keys() & given.keys():
        _require(name, given.pop(name) in neutral[name], "is not supported by Caret; leave it out")
    delivery = {name: given.pop(name) for name in ("stream", "wait") if name in given}
    sampling = {name: given.pop(name) for name in _SAMPLING & given.keys()}
    wanted = {name: value for name, value in given.items() if name not in _IGNORED}
    if isinstance(wanted.get("stop"), str):
        wanted["stop"] = [wanted["stop"]]
    for name in _LISTS & wanted.keys():
        _require(name, isinstance(wanted[name], list), "must be a list")
    request = structure({"model": "", **wanted, "sampling": sampling}, kind)
    _check_ranges(request)
    return request, structure(delivery, Delivery)


def _check_ranges(request: CompletionRequest | ChatRequest) -> None:
    sampling = request.sampling
    _require("max_tokens", request.max_tokens >= 0, "must not be negative")
    _require("stop", all(request.stop), "must not hold an empty string")
    _require("temperature", sampling.temperature >= 0, "must not be negative")
    _require("top_k", sampling.top_k >= 0, "must not be negative")
    _require("top_p", 0 < sampling.top_p <= 1, "must be above 0 and at most 1")


def _require(field: str, holds: bool, rule: str) -> None:
    if not holds:
        raise RequestError(f"The field {field} {rule}.")


def structure(value: object, kind: type[T]) -> T:
    """`value` as a dataclass of `engine.api`; raises RequestError that names the wrong field."""
    try:
        return _CONVERTER.structure(value, kind)
    except cattrs.BaseValidationError as error:
        problem = cattrs.transform_error(error, format_exception=_describe)[0]
        rule, _, path = problem.rpartition(" @ ")
        field = path.removeprefix("$").removeprefix(".").removeprefix("sampling.")
        raise RequestError(f"The field {field} {rule}." if field else f"{rule}.") from None


def _describe(error: BaseException, _: object) -> str:
    """One problem in words; never the value itself, which may be somebody's code."""
    match error:
        case _WrongError():
            return str(error)
        case KeyError():
            return "is missing"
        case ForbiddenExtraKeysError():
            return f"Unknown field: {', '.join(sorted(error.extra_fields))}"
    return "has a wrong type or value"


def completion_body(request: CompletionRequest) -> JSON:
    """The body that `parse_completion` reads back."""
    return _flat(_CONVERTER.unstructure(request))


def chat_body(request: ChatRequest) -> JSON:
    """The body that `parse_chat` reads back."""
    return _flat(_CONVERTER.unstructure(request))


def _flat(body: JSON) -> JSON:
    body |= body.pop("sampling")
    return {name: value for name, value in body.items() if value is not None}


def status_body(status: ModelStatus) -> JSON:
    """A status as `structure` reads it back."""
    body: JSON = _CONVERTER.unstructure(status)
    return body


STATUS_OF: Mapping[type[CaretError], int] = {
    RequestError: 400,
    UnknownModel: 404,
    ModelMissing: 404,
    LicenceNotAccepted: 403,
    Superseded: 409,
    NotCapable: 422,
    UnsupportedModel: 422,
    OutOfMemory: 507,
    DiskFull: 507,
    ModelError: 500,
    EngineUnavailable: 503,
    CaretError: 503,
}
"""HTTP status of an error; the entry of its nearest base class counts."""


def http_status(error: CaretError) -> int:
    """The HTTP status that goes with `error`."""
    return next(STATUS_OF[base] for base in type(error).__mro__ if base in STATUS_OF)


def error_body(error: CaretError) -> JSON:
    """OpenAI's error object, with the `code` of the class."""
    kind = "invalid_request_error" if http_status(error) < 500 else "server_error"
    return {"error": {"message": str(error), "type": kind, "code": error.code}}


def parse_error(body: bytes) -> CaretError | None:
    """The error that our engine sent, or None for what is not one of ours."""
    try:
        told = json.loads(body)["error"]
        return BY_CODE[told["code"]](str(told["message"]))
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def error_text(body: bytes) -> str:
    """What any server says in the body of an error, in one of the usual shapes, on one line."""
    try:
        said = _told(json.loads(body))
    except (ValueError, RecursionError):
        said = ""
    return _line(said) or beginning(body)


def _told(error: object) -> str:
    """The message in an error's object, however deep; of a list, of pydantic's, each field's."""
    if isinstance(error, str):
        return error
    if isinstance(error, list):
        return "; ".join(filter(None, map(_told, error[:3])))
    if not isinstance(error, dict):
        return ""
    said = next((told for name in _SAYING if (told := _told(error.get(name)))), "")
    place, field = error.get("loc"), error.get("param")
    fields = [str(part) for part in place if part != "body"] if isinstance(place, list) else []
    if isinstance(field, str) and not re.search(rf"\b{re.escape(field)}\b", said):
        fields = [field]
    return f"{'.'.join(fields)}: {said}" if fields and said else said


def beginning(body: bytes) -> str:
    """The first words of a body, for a message; of a web page, its title."""
    text = body[:4096].decode(errors="replace")
    if title := _TITLE.search(text):
        return _line(f"{title[1]} (a web page)")
    return _line(text)


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text[:1000]).split())[:200]
