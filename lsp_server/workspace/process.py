"""The index as a process of its own: `python -m lsp_server.workspace.process`.

So its memory and its time are not the language server's. It reads JSON lines from stdin, writes
some to stdout, and ends with its stdin, at once. It writes to no disk and reaches no network. What
goes wrong with a message or a file ends there: it is logged on stderr, and a query is answered.
"""

from __future__ import annotations

import faulthandler
import itertools
import json
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

from lsp_server.workspace.index import Index
from lsp_server.workspace.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    Tell = Callable[..., None]

_END = object()

_log = logging.getLogger(__name__)


class Inbox:
    """Holds messages that wait to be handled, of several about one file only the newest.

    Text comes with each key, and a long one takes longer to read than the key to type: all that
    were typed would fill the memory, and keep the index busy long after the last of them. The
    server's `Outbox` does the same while the pipe is full, but here a thread empties the pipe at
    once, since it must see the end of stdin whatever the index is at.
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, dict[str, Any]] = {}
        self._changed = threading.Condition()
        self._numbers = itertools.count()

    def put(self, message: dict[str, Any]) -> None:
        """Add a message, in place of one about the same file."""
        path = message.get("open", message.get("close"))
        key = next(self._numbers) if path is None else f"{message.get('root')}\0{path}"
        with self._changed:
            self._waiting[key] = message
            self._changed.notify()

    def take(self, wait_s: float | None = None) -> dict[str, Any]:
        """Return the message that has waited longest, or an empty one if none comes in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._waiting, wait_s):
                return {}
            return self._waiting.pop(next(iter(self._waiting)))


def serve(stdin: IO[str], stdout: IO[str]) -> None:
    """Answer until the process ends; between two files, questions come first.

    After each file it rests for as long as that took, so it takes half a core at most. A lower
    priority would spare others more, but with the model at work on all cores, questions would
    be answered too late.
    """

    def tell(**message: object) -> None:
        stdout.write(json.dumps(message) + "\n")
        stdout.flush()

    inbox = Inbox()
    threading.Thread(target=_read, args=(stdin, inbox), daemon=True).start()
    index = _begun(inbox.take(), tell)
    work: Iterator[None] | None = index.update()
    took = 0.0
    while True:
        message = inbox.take(None if work is None else took)
        _handle(index, message, tell)
        if work is None and index.due:
            work = index.update()
        if work is not None and not message:
            began = time.perf_counter()
            work = work if _goes_on(work) else None
            took = time.perf_counter() - began
            if work is None:
                tell(files=index.files, left_out=index.faults.count)


def _goes_on(work: Iterator[None]) -> bool:
    """Do the next step; False at the end, which is also where a step fails."""
    try:
        return next(work, _END) is not _END
    except Exception as error:
        _log.exception("The disk cannot be looked at: %s", type(error).__name__)
        return False


def _begun(first: dict[str, Any], tell: Tell) -> Index:
    return Index(
        tuple(first["roots"]),
        tuple(first["exclude"]),
        lambda done, total: tell(done=done, total=total),
        lambda problem: tell(problem=problem),
    )


def _handle(index: Index, message: dict[str, Any], tell: Tell) -> None:
    """Do what a message wants; a query is answered, if only with nothing, whatever goes wrong."""
    try:
        _act(index, message, tell)
    except BrokenPipeError:
        raise
    except Exception as error:
        _log.exception("A message cannot be handled: %s", type(error).__name__)
    if "id" in message:
        tell(id=message["id"])


def _act(index: Index, message: dict[str, Any], tell: Tell) -> None:
    match message:
        case {"ask": about, "root": root, "id": asked}:
            for found in index.store.find(root, Wanted(**about)):
                tell(id=asked, found=[asdict(item) for item in found])
        case {"members": about, "root": root, "id": asked}:
            members = index.store.members(root, Wanted(**about))
            tell(id=asked, found=[asdict(item) for item in members])
        case {"open": path, "root": root, "text": text}:
            index.open(root, path, text)
        case {"close": path, "root": root}:
            index.close(root, path)


def _read(stdin: IO[str], inbox: Inbox) -> None:
    """Hand messages on; the end of stdin is the end of the process, whatever it is at."""
    try:
        for line in stdin:
            if isinstance(message := _message(line), dict):
                inbox.put(message)
    finally:
        os._exit(0)


def _message(line: str) -> object:
    try:
        return json.loads(line)
    except Exception as error:  # it may also be nested too deep, or too large
        _log.warning("A line is no message: %s: %s", type(error).__name__, error)
        return None


def main() -> None:
    """Serve on stdin and stdout."""
    faulthandler.enable()
    logging.basicConfig(
        stream=sys.stderr, format=f"%(asctime)s {os.getpid()} %(levelname)s %(name)s: %(message)s"
    )
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # a file
    with suppress(BrokenPipeError, KeyboardInterrupt):
        serve(sys.stdin, sys.stdout)
    os._exit(0)  # nothing is left to do, and stdout may be closed


if __name__ == "__main__":
    main()
