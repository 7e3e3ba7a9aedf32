"""The language server's end of the index process."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from engine import spawn
from lsp_server import logs
from lsp_server.workspace.found import Found
from lsp_server.workspace.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from lsp_server.snapshot import EditorSnapshot
    from lsp_server.workspace.wanted import Wanted

    Subject = tuple[tuple[str, ...], tuple[str, ...]]

_log = logging.getLogger(__name__)

_AGAIN_S, _AGAIN_MOST_S = 1.0, 300.0
"""Seconds before a process that died is restarted: at first, and the most after doubling."""
_SOUND_S = 60.0
"""Seconds of life after which a death counts as the first in a row."""
_TOLD = 3
"""Deaths in a row after which the user is told."""
_LAST_S = 5.0
"""Seconds after which a process that has closed its stdout is ended."""
_LINE_BYTES = 1 << 22


@dataclass(slots=True)
class _Answer:
    """As far as it has come."""

    found: list[Found] = field(default_factory=list)
    whole: asyncio.Event = field(default_factory=asyncio.Event)


class Link:
    """Keeps the process running and sends it requests; it sends none itself."""

    def __init__(
        self, report: Callable[[int, int], None], tell: Callable[[str], None] = lambda _: None
    ) -> None:
        """`report` gets (files done, in all), `tell` what a user should know."""
        self._report, self._tell = report, tell
        self._changing = asyncio.Lock()
        self._subject: Subject = (), ()
        self._keeper: asyncio.Task[None] | None = None
        self._outbox = Outbox()
        self._texts: dict[tuple[str, str], str] = {}
        """Texts of edited documents, which a restarted process is sent again."""
        self._answers: dict[int, _Answer] = {}
        self._ids = itertools.count()
        self._closed = self._resting = self._left = False
        self.files: int | None = None
        """Number of files when the index was last in step with the disk; None before that."""
        self.left_out = 0
        """Files and folders that cannot be read."""
        self.deaths = 0
        self.reason = ""
        """Reason of the process's last death."""

    async def use(self, view: EditorSnapshot) -> None:
        """Index the view's folders; with none, there is no process."""
        async with self._changing:
            subject = _subject(view)
            if self._closed or subject == self._subject:
                self._left = False
                return
            await self._stop()
            self._subject, self._left = subject, False
            self._texts.clear()  # they may be private now: who sent them sends what is not
            if subject[0]:
                self._keeper = asyncio.create_task(self._keep(subject))

    def leave(self, view: EditorSnapshot) -> None:
        """Stop asking a process whose files are no longer those that may be read, until `use`."""
        if self._subject != _subject(view):
            self._left = True
            for answer in self._answers.values():
                answer.found.clear()
            self._ended()

    async def ask(self, root: str, about: Wanted, within_s: float) -> list[Found]:
        """What is found in time; nothing when there is no process."""
        return await self._answered(within_s, ask=asdict(about), root=root)

    async def members(self, root: str, about: Wanted, within_s: float) -> list[Found]:
        """What the object before the caret has, and how what is called there is called."""
        return await self._answered(within_s, members=asdict(about), root=root)

    def opened(self, root: str, path: str, text: str) -> None:
        """Send the text of a document that differs from its file's."""
        if root in self._subject[0]:
            self._texts[root, path] = text
            self._outbox.put((root, path), {"open": path, "root": root, "text": text})

    def closed(self, root: str, path: str) -> None:
        """Use the text on disk again, for a document that was closed."""
        if self._texts.pop((root, path), None) is not None:
            self._outbox.put((root, path), {"close": path, "root": root})

    @property
    def building(self) -> bool:
        """True while the index does not have all files yet."""
        return self._keeper is not None and self.files is None

    async def aclose(self) -> None:
        """End the process, and start none again."""
        self._closed = True
        async with self._changing:
            await self._stop()
            self._subject = (), ()

    async def _stop(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper:
            keeper.cancel()
            await asyncio.wait([keeper])
        self._ended()

    def _ended(self) -> None:
        """Release all who wait for an answer, as there is no process."""
        self.files = None
        for answer in self._answers.values():
            answer.whole.set()

    async def _keep(self, subject: Subject) -> None:
        """Keep one process going, and start it anew when it dies."""
        in_a_row = 0
        while True:
            began = time.monotonic()
            self.reason = await self._live(subject)
            self._ended()
            self.deaths += 1
            in_a_row = 1 if time.monotonic() - began > _SOUND_S else in_a_row + 1
            _log.warning("The index of the workspace %s.", self.reason)
            if in_a_row == _TOLD:
                self._tell(
                    f"The index of the workspace ended {_TOLD} times in a row, the last time "
                    f"because it {self.reason}. Suggestions do without other files until it "
                    "works again; index.log in Caret's log folder says more."
                )
            self._resting = True
            try:
                await asyncio.sleep(min(_AGAIN_S * 2 ** (in_a_row - 1), _AGAIN_MOST_S))
            finally:
                self._resting = False

    async def _live(self, subject: Subject) -> str:
        """Run a process to its end; return why it ended."""
        starting = asyncio.create_task(_started())
        try:
            process, log = await asyncio.shield(starting)
        except asyncio.CancelledError:
            with suppress(OSError):
                await _end((await starting)[0])
            raise
        except OSError as error:
            return f"cannot be started ({error.strerror})"
        assert process.stdin
        assert process.stdout
        writing = asyncio.create_task(self._write(process.stdin, subject))
        try:
            await self._read(process.stdout)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_S):
                    await process.wait()
        finally:
            writing.cancel()
            await _end(process)
        return f"{_ending(process.returncode or 0)}{log.last_line()}"

    async def _write(self, stdin: asyncio.StreamWriter, subject: Subject) -> None:
        """Send what there is to send, no faster than it is read."""
        self._outbox.restart({"roots": subject[0], "exclude": subject[1]})
        for (root, path), text in self._texts.items():
            self._outbox.put((root, path), {"open": path, "root": root, "text": text})
        with suppress(ConnectionError):
            while True:
                message = await self._outbox.take()
                stdin.write(json.dumps(message).encode() + b"\n")
                await stdin.drain()

    async def _answered(self, within_s: float, **message: object) -> list[Found]:
        """What of the answer comes in time."""
        if self._keeper is None or self._resting or self._left:
            return []
        number = next(self._ids)
        answer = self._answers[number] = _Answer()
        self._outbox.put(number, {**message, "id": number})
        try:
            async with asyncio.timeout(within_s):
                await answer.whole.wait()
        except TimeoutError:
            _log.debug("The index did not answer in time.")
        finally:
            self._outbox.drop(number)
            del self._answers[number]
        return answer.found

    async def _read(self, stdout: asyncio.StreamReader) -> None:
        try:
            async for line in stdout:
                self._take(json.loads(line))
        except (ValueError, TypeError) as error:
            _log.warning("The index wrote what is no message: %s", error)

    def _take(self, message: dict[str, Any]) -> None:
        match message:
            case {"done": done, "total": total}:
                self._report(done, total)
            case {"files": files, "left_out": left_out}:
                self.files, self.left_out = files, left_out
            case {"problem": problem}:
                self._tell(problem)
            case {"id": asked, "found": found} if asked in self._answers:
                self._answers[asked].found += [Found(**item) for item in found]
            case {"id": asked} if asked in self._answers:
                self._answers[asked].whole.set()


def _subject(view: EditorSnapshot) -> Subject:
    """Return the folders and exclusions that a process is started with."""
    return view.indexed, view.settings.privacy.exclude


async def _started() -> tuple[asyncio.subprocess.Process, logs.Log]:
    """Start a process and return it, with the log that it writes.

    Raises:
        OSError: There is no room for a process.
    """
    log = await asyncio.to_thread(logs.Log.open, "index.log")
    command = spawn.python("lsp_server.workspace.process")
    try:
        stderr = log.stream or spawn.NOWHERE
        return await spawn.converse(command, limit=_LINE_BYTES, stderr=stderr), log
    finally:
        log.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-status).name}"
    return f"was ended by signal {-status}"
