"""The index as a process of its own: `python -m lsp_server.workspace.process`.

So its memory and its time are not the language server's. It reads JSON lines from stdin, writes
some to stdout, and ends with its stdin. It writes to no disk and reaches no network.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

from lsp_server.workspace.index import Index
from lsp_server.workspace.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Messages = queue.SimpleQueue[dict[str, Any] | None]

_END = object()


def serve(stdin: IO[str], stdout: IO[str]) -> None:
    """Answer until stdin ends; between two files, questions come first.

    After each file it rests for as long as that took, so it takes half a core at most. A lower
    priority would spare others more, but with the model at work on all cores, questions would
    be answered too late.
    """

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
    took = 0.0
    while (message := _next(messages, None if work is None else took)) is not None:
        _handle(index, message, tell)
        if work is None and index.due:
            work = index.update()
        if work is not None and not message:
            began = time.perf_counter()
            work = work if next(work, _END) is not _END else None
            took = time.perf_counter() - began
            if work is None:
                tell(files=index.files)


def _next(messages: Messages, wait_s: float | None) -> dict[str, Any] | None:
    """A message; an empty one if none comes in time; None at the end."""
    with suppress(queue.Empty):
        return messages.get(timeout=wait_s)
    return {}


def _handle(index: Index, message: dict[str, Any], tell: Callable[..., None]) -> None:
    match message:
        case {"ask": about, "root": root, "id": asked}:
            for found in index.store.find(root, Wanted(**about)):
                tell(id=asked, found=[asdict(item) for item in found])
            tell(id=asked)
        case {"members": about, "root": root, "id": asked}:
            members = index.store.members(root, Wanted(**about))
            tell(id=asked, found=[asdict(item) for item in members])
            tell(id=asked)
        case {"open": path, "root": root, "text": text}:
            index.open(root, path, text)
        case {"close": path, "root": root}:
            index.close(root, path)


def _read(stdin: IO[str], messages: Messages) -> None:
    for line in stdin:
        messages.put(json.loads(line))
    messages.put(None)


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
