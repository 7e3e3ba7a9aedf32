"""The argument of a command, as editors send it, and the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from lsp_server.incoming import converter
from lsp_server.leniency import read

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONVERTER = converter()

MOST_PROBLEMS = 100
"""Diagnostics that are read of one command; more than a prompt has room for."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The one argument of a command."""

    uri: str = ""
    """Of the document; "" where there is none."""
    version: int | None = None
    range: types.Range | None = None
    diagnostics: tuple[types.Diagnostic, ...] = ()
    instruction: str = ""
    text: str = ""
    conversation: str = ""
    token: int | str | None = None
    """For `$/progress` with the text as it comes."""
    apply: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command gives."""

    text: str
    """Markdown."""
    conversation: str
    """For a further question."""
    edit: types.WorkspaceEdit | None = None
    applied: bool = False
    references: list[types.Location] = field(default_factory=list)
    """Places that the text names, and that exist."""


def parse(arguments: Sequence[Any] | None) -> Arguments:
    """The arguments of `workspace/executeCommand`.

    Raises:
        JsonRpcInvalidParams: they are of another form; says which field.
    """
    given = arguments[0] if arguments else {}
    if not isinstance(given, dict):
        raise JsonRpcInvalidParams("The command takes one object.")
    document = _object(given, "textDocument")
    problems = given.get("diagnostics") or []
    few = problems[:MOST_PROBLEMS] if isinstance(problems, list) else problems
    token = given.get("partialResultToken")
    if not isinstance(token, int | str | None):
        raise JsonRpcInvalidParams("The field partialResultToken must be a number or a string.")
    return Arguments(
        uri=_text(document, "uri"),
        version=_lsp(document.get("version"), int | None, "version"),
        range=_lsp(given.get("range"), types.Range | None, "range"),
        diagnostics=tuple(_lsp(few, list[types.Diagnostic], "diagnostics")),
        instruction=_text(given, "instruction"),
        text=_text(given, "text"),
        conversation=_text(given, "conversation"),
        token=token,
        apply=given.get("apply") is not False,
    )


def _object(given: dict[str, Any], name: str) -> dict[str, Any]:
    value = given.get(name) or {}
    if not isinstance(value, dict):
        raise JsonRpcInvalidParams(f"The field {name} must be an object.")
    return value


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str | None):
        raise JsonRpcInvalidParams(f"The field {name} must be a string.")
    return value or ""


def _lsp(value: Any, kind: Any, name: str) -> Any:  # noqa: ANN401 - a value of the protocol
    try:
        return read(value, kind, _CONVERTER)
    except Exception:  # whatever lsprotocol and cattrs raise
        raise JsonRpcInvalidParams(f"The field {name} has a wrong form.") from None
