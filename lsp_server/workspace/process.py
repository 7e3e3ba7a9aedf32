"""The index as a process of its own: `python -m lsp_server.workspace.process`.

So its memory and its time are not the language server's. It reads JSON lines from stdin, writes
some to stdout, and ends with its stdin. It writes to no disk and reaches no network.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

import psutil

from lsp_server.workspace.index import Index
from lsp_server.workspace.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Messages = queue.SimpleQueue[dict[str, Any] | None]

_NICENESS = 10
"""Files wait for the model and the editor, but a question is answered while the model computes."""


def serve(stdin: IO[str], stdout: IO[str]) -> None:
    """Answer until stdin ends; between two files, questions come first."""

    def tell(**message: object) -> None:
        stdout.write(json.dumps(message) + "\n")
        stdout.flush()

    messages: Messages = queue.SimpleQueue()
    threading.Thread(target=_read, args=(stdin, messages), daemon=True).start()
    if (first := messages.get()) is None:
        return
    index = Index(
        tuple(first["roots"]),
        tuple(first["exclude"]),
        lambda done, total: tell(done=done, total=total),
    )
    work: Iterator[None] | None = index.update()
    while (message := _next(messages, wait=work is None)) is not None:
        _handle(index, message, tell)
        if work is None and index.due:
            work = index.update()
        if work is not None and not message and _finished(work):
            work = None
            tell(files=index.files)


def _finished(work: Iterator[None]) -> bool:
    """Do one step of the work; whether that was the last."""
    return next(work, "end") == "end"


def _next(messages: Messages, *, wait: bool) -> dict[str, Any] | None:
    """A message; an empty one if there is none; None at the end."""
    with suppress(queue.Empty):
        return messages.get(block=wait)
    return {}


def _handle(index: Index, message: dict[str, Any], tell: Callable[..., None]) -> None:
    match message:
        case {"ask": about, "root": root, "id": asked}:
            found = index.store.find(root, Wanted(**about))
            tell(id=asked, found=[asdict(item) for item in found])
        case {"open": path, "root": root, "text": text}:
            index.open(root, path, text)
        case {"close": path, "root": root}:
            index.close(root, path)


def _read(stdin: IO[str], messages: Messages) -> None:
    for line in stdin:
        messages.put(json.loads(line))
    messages.put(None)


def _step_back() -> None:
    """Let other processes go first."""
    if sys.platform == "win32":
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        os.nice(_NICENESS)


if __name__ == "__main__":
    _step_back()
    serve(sys.stdin, sys.stdout)
