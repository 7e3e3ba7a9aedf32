"""The language server's end of the index process."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from engine import spawn
from lsp_server.workspace.found import Found

if TYPE_CHECKING:
    from collections.abc import Callable

    from lsp_server.snapshot import EditorSnapshot
    from lsp_server.workspace.wanted import Wanted

_log = logging.getLogger(__name__)

_AGAIN_S = 60.0
"""A process that died is started anew no sooner than this."""
_LINE_BYTES = 1 << 22


@dataclass(slots=True)
class _Answer:
    """As far as it has come."""

    found: list[Found] = field(default_factory=list)
    whole: asyncio.Event = field(default_factory=asyncio.Event)


class Link:
    """Starts the process, asks it, and is asked for nothing by it."""

    def __init__(self, report: Callable[[int, int], None]) -> None:
        """`report` gets (files done, in all) while there is something to index."""
        self._report = report
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._subject: tuple[tuple[str, ...], tuple[str, ...]] | None = None
        self._answers: dict[int, _Answer] = {}
        self._ids = itertools.count()
        self._began = -_AGAIN_S
        self.files: int | None = None
        """That the index had when it was last in step with the disk; None before that."""

    async def use(self, view: EditorSnapshot) -> None:
        """Index the view's folders; with none, there is no process."""
        if _subject(view) == self._subject and self._alive:
            return
        await self.aclose()
        self._subject = _subject(view)
        self._began = -_AGAIN_S
        await self._start()

    def leave(self, view: EditorSnapshot) -> None:
        """Ask no more of a process that knows other files than may be read now; `use` goes on."""
        if self._subject != _subject(view):
            self._end()

    async def ask(self, root: str, about: Wanted, within_s: float) -> list[Found]:
        """What is found in time; nothing when there is no process."""
        return await self._answered(within_s, ask=asdict(about), root=root)

    async def members(self, root: str, about: Wanted, within_s: float) -> list[Found]:
        """What the object before the caret has, and how what is called there is called."""
        return await self._answered(within_s, members=asdict(about), root=root)

    def opened(self, root: str, path: str, text: str) -> None:
        """The text of a document that differs from its file's."""
        self._send(open=path, root=root, text=text)

    def closed(self, root: str, path: str) -> None:
        """The file's text counts again."""
        self._send(close=path, root=root)

    @property
    def building(self) -> bool:
        """The index does not have all files yet."""
        return self._alive and self.files is None

    async def aclose(self) -> None:
        """End the process."""
        self._end()
        if self._reading:
            await asyncio.wait([self._reading])

    def _end(self) -> None:
        process, self._process, self._subject = self._process, None, None
        self.files = None
        if process and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()

    @property
    def _alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def _start(self) -> None:
        """Start the process, unless there is nothing to index or it died just now."""
        if not (self._subject and self._subject[0]) or time.monotonic() - self._began < _AGAIN_S:
            return
        self._began, subject = time.monotonic(), self._subject
        command = spawn.python("lsp_server.workspace.process")
        process = await spawn.converse(command, limit=_LINE_BYTES)
        if self._subject is not subject:  # other folders or patterns came meanwhile
            process.kill()
            await process.wait()
            return
        self._process = process
        self._send(roots=subject[0], exclude=subject[1])
        self._reading = asyncio.create_task(self._read(process))

    async def _answered(self, within_s: float, **message: object) -> list[Found]:
        """What of the answer comes in time."""
        if not self._alive:
            await self._start()
        number = next(self._ids)
        answer = self._answers[number] = _Answer()
        try:
            async with asyncio.timeout(within_s):
                if self._send(**message, id=number):
                    await answer.whole.wait()
        except TimeoutError:
            _log.debug("The index did not answer in time.")
        finally:
            del self._answers[number]
        return answer.found

    def _send(self, **message: object) -> bool:
        """False if nobody is there to read it."""
        stdin = self._process.stdin if self._process and self._alive else None
        if stdin is None or stdin.is_closing():
            return False
        stdin.write(json.dumps(message).encode() + b"\n")
        return True

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            self._take(json.loads(line))
        for answer in self._answers.values():
            answer.whole.set()
        _log.info("The index of the workspace ended with %d.", await process.wait())

    def _take(self, message: dict[str, Any]) -> None:
        match message:
            case {"done": done, "total": total}:
                self._report(done, total)
            case {"files": files}:
                self.files = files
            case {"id": asked, "found": found} if asked in self._answers:
                self._answers[asked].found += [Found(**item) for item in found]
            case {"id": asked} if asked in self._answers:
                self._answers[asked].whole.set()


def _subject(view: EditorSnapshot) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The folders to index, and the patterns of what no model may read."""
    return view.indexed, view.settings.privacy.exclude
