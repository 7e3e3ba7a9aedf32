"""Decodes messages of the client, in time that grows with them: a thread does it."""

from __future__ import annotations

import json
import json.scanner
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcParseError
from pygls.protocol import default_converter
from pygls.protocol.json_rpc import JsonRPCNotification

from lsp_server.greeting import is_id

if TYPE_CHECKING:
    from cattrs import Converter

_MEMBERS = ("jsonrpc", "id", "method", "params", "result", "error")
_LONG = 4_000_000
"""Bytes of a message that is decoded step by step."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message, parsed as far as that depends on nothing else."""

    content: object
    """The JSON value, or the reason why there is none."""
    structured: Any = None
    """The message as lsprotocol has it, or the reason why there is none; None for others than
    requests and notifications that have a handler."""


class _PatientDecoder(json.JSONDecoder):
    """Decodes lists and objects in Python: the decoder in C stops all other threads meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]  # typeshed lacks it


def decoded(body: bytes) -> object:
    """Return the JSON value in a message, with the members that JSON-RPC knows.

    Raises:
        JsonRpcParseError: it has none, or one that is too deep.
    """
    try:
        content = json.loads(body, cls=_PatientDecoder if len(body) > _LONG else None)
    except (ValueError, RecursionError):
        raise JsonRpcParseError("The message is not JSON, or too long.") from None
    if isinstance(content, dict):
        return {name: content[name] for name in _MEMBERS if name in content}
    return content


def id_of(message: object) -> Any:  # noqa: ANN401 - an id
    """Return the id by which a message can be refused, or None."""
    found = message.get("id") if isinstance(message, dict) else None
    return found if is_id(found) else None


def converter() -> Converter:
    """Return pygls's converter, which ends at the first thing that is wrong.

    By itself it collects all of them: for a long string in place of a list, one for each letter.
    And it would read null as the text "None".
    """
    made: Converter = default_converter()  # type: ignore[no-untyped-call]  # pygls's
    made.detailed_validation = False
    made.register_structure_hook(JsonRPCNotification, _with_attributes)
    made.register_structure_hook(str, _text)
    return made


def _with_attributes(message: dict[str, Any], kind: type[JsonRPCNotification]) -> Any:  # noqa: ANN401 - of that kind
    """Return a notification that is none of LSP's; pygls would make a class for each object."""
    written = json.dumps(message["params"])
    params = json.loads(written, object_hook=lambda found: SimpleNamespace(**found))
    return kind(message["method"], message["jsonrpc"], params)


def _text(value: object, _: type[str]) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value
