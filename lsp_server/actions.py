"""Code actions: what may be done at a place, offered at once; the model works when one is chosen.

Those that edit are resolved to their edit where the client can, so that it shows it first; for
other clients, and where the answer is text, they are commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.capabilities import get_capability

from engine.errors import RequestError
from lsp_server.arguments import MOST_PROBLEMS
from lsp_server.asking import place_of, problem_of, readable_document
from lsp_server.instruct.commands import COMMANDS
from lsp_server.instruct.region import TODO
from lsp_server.instruct.syntax import enclosing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lsp_server.instruct.commands import Command
    from lsp_server.instruct.place import Place
    from lsp_server.instruct.syntax import Region
    from lsp_server.snapshot import EditorSnapshot

KINDS = (types.CodeActionKind.QuickFix, types.CodeActionKind.RefactorRewrite)
OPTIONS = types.CodeActionOptions(code_action_kinds=KINDS, resolve_provider=True)
_MESSAGE = 60
"""Characters of a diagnostic in a title."""
_SINGLE = 20
"""Diagnostics that have actions of their own."""
_REWRITES = {"doc": "Document", "refactor": "Refactor", "test": "Write tests for"}


def actions(
    params: types.CodeActionParams, snapshot: EditorSnapshot, client: types.ClientCapabilities
) -> list[types.CodeAction]:
    """What is offered for a range and the diagnostics in it, of the kinds that are wanted."""
    try:
        document = readable_document(params.text_document.uri, snapshot)
    except RequestError:
        return []
    place = place_of(document, params.range, snapshot)
    region = enclosing(place.text, place.language, *place.rows)
    offered: list[types.CodeAction] = []
    if _wanted(types.CodeActionKind.QuickFix, params.context.only):
        offered += _quick_fixes(params, document.version, region)
    if _wanted(types.CodeActionKind.RefactorRewrite, params.context.only):
        offered += _rewrites(params, document.version, place, region)
    return offered if _resolves(client) else [_as_command(action) for action in offered]


def chosen(action: types.CodeAction) -> tuple[Command, dict[str, Any]] | None:
    """What an action to be resolved asks for; None for one that is not ours, or has its edit."""
    data = action.data if isinstance(action.data, dict) else {}
    command, argument = COMMANDS.get(str(data.get("command"))), data.get("argument", {})
    if command is None or action.edit is not None or not isinstance(argument, dict):
        return None
    return command, {**argument, "apply": False}


def _quick_fixes(
    params: types.CodeActionParams, version: int | None, region: Region | None
) -> Iterator[types.CodeAction]:
    found = list(params.context.diagnostics[:MOST_PROBLEMS])
    for diagnostic in found[:_SINGLE]:
        said = " ".join(problem_of(diagnostic).message.split())
        said = said if len(said) <= _MESSAGE else f"{said[: _MESSAGE - 1]}…"
        yield _action(params, version, "fix", f"Fix: {said}", [diagnostic])
        yield _action(params, version, "explain", f"Explain: {said}", [diagnostic])
    if len(found) > 1:
        where = f" in `{region.name}`" if region and region.name else ""
        yield _action(params, version, "fix", f"Fix all {len(found)} problems{where}", found)


def _rewrites(
    params: types.CodeActionParams, version: int | None, place: Place, region: Region | None
) -> Iterator[types.CodeAction]:
    first, last = place.rows
    if region:
        for name, verb in _REWRITES.items():
            yield _action(params, version, name, f"{verb} `{region.name}`")
    elif not place.empty:
        yield _action(params, version, "refactor", "Refactor the selection")
    if any(TODO.search(line) for line in place.lines[first : last + 1]):
        yield _action(params, version, "todo", "Complete this TODO")


def _action(
    params: types.CodeActionParams,
    version: int | None,
    name: str,
    title: str,
    diagnostics: Sequence[types.Diagnostic] = (),
) -> types.CodeAction:
    """An action that resolves to an edit, or that is a command for an answer in words."""
    argument = {
        "textDocument": {"uri": params.text_document.uri, "version": version},
        "range": params.range,
        "diagnostics": list(diagnostics),
    }
    kind = KINDS[0] if diagnostics else KINDS[1]
    action = types.CodeAction(f"{title} (Caret)", kind, diagnostics or None)
    action.data = {"command": name, "argument": argument}
    return action if COMMANDS[name].edits else _as_command(action)


def _as_command(action: types.CodeAction) -> types.CodeAction:
    if action.command is None and isinstance(action.data, dict):
        command = COMMANDS[action.data["command"]]
        action.command = types.Command(
            command.title, command.id, arguments=[action.data["argument"]]
        )
        action.data = None
    return action


def _wanted(kind: types.CodeActionKind, only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether a kind is among the wanted ones, or a part of one."""
    names = [str(getattr(wanted, "value", wanted)) for wanted in only or ()]
    return not names or any(f"{kind.value}.".startswith(f"{name}.") for name in names if name)


def _resolves(client: types.ClientCapabilities) -> bool:
    """Whether the client asks for the edit of an action when it is chosen."""
    support = get_capability(client, "text_document.code_action.resolve_support")
    return support is not None and "edit" in support.properties
