"""One question from the command line: files from disk instead of an editor's documents."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from engine.errors import RequestError
from lsp_server.arguments import Arguments
from lsp_server.asking import ask_of, grounds_of
from lsp_server.backend import Backend
from lsp_server.documents import Document, body
from lsp_server.instruct.assistant import Assistant
from lsp_server.instruct.references import references, with_notes
from lsp_server.policy import names_of
from lsp_server.settings import Settings
from lsp_server.snapshot import EditorSnapshot
from lsp_server.textfile import absolute, read_text
from lsp_server.workspace.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.api import ModelStatus
    from lsp_server.instruct.assistant import Outcome
    from lsp_server.instruct.commands import Command

_INDEX_S = {"ask": 20.0}
_SOON_S = 3.0
"""How long to wait for the index of the workspace, which an editor would have had already: long for
what is answered from nothing else."""
_LINES = re.compile(r"(?P<file>.+?)(?::0*(?P<first>[1-9]\d{0,8})(?:-0*(?P<last>[1-9]\d{0,8}))?)?")


@dataclass(frozen=True, slots=True)
class Lines:
    """FILE[:LINE[-LINE]]; lines count from 1, 0 is the whole file."""

    file: Path
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Consultation:
    """What is asked, and of whom."""

    command: Command
    lines: Lines | None = None
    instruction: str = ""
    text: str = ""
    model: str = ""
    endpoint: str = ""

    @property
    def root(self) -> Path:
        """The folder of the project: the one under version control, else the current one."""
        here = Path.cwd()
        start = self.lines.file.resolve().parent if self.lines else here
        for folder in (start, *start.parents):
            if (folder / ".git").exists():
                return folder
        return here if start.is_relative_to(here) else start

    @property
    def settings(self) -> Settings:
        """The settings, which have the model and the endpoint alone."""
        settings = Settings()
        instruct = replace(settings.instruct, model=self.model, endpoint=self.endpoint)
        return replace(settings, instruct=instruct)

    async def answer(
        self, say: Callable[[str], None], report: Callable[[ModelStatus], None]
    ) -> Outcome:
        """The answer, of which `say` gets the text as it comes; cancelled, the model stops.

        Raises:
            CaretError: there is no such place, or the model cannot answer.
        """
        backend, link = Backend(report, None, "instruct"), Link(lambda *_: None)
        snapshot, arguments = self.given()
        try:
            await backend.use(snapshot.settings)
            await self._index(link, snapshot)
            grounds = grounds_of(snapshot, link)
            ask = await grounds.gather(ask_of(self.command, arguments, snapshot))
            outcome = await Assistant(backend).answer(ask, snapshot.settings.instruct, say)
        finally:
            await link.aclose()
            await backend.aclose()
        noted = with_notes(outcome.text, ask, references(outcome.text, ask, grounds.files))
        say(noted.removeprefix(outcome.text.rstrip()))
        return replace(outcome, text=noted)

    def given(self) -> tuple[EditorSnapshot, Arguments]:
        """Return the file, its folder and what is asked, as an editor would give them."""
        settings = self.settings
        arguments = Arguments(instruction=self.instruction, text=self.text)
        roots = [self.root.as_posix()]
        if self.lines is None:
            return EditorSnapshot(settings, roots), arguments
        uri = absolute(self.lines.file).as_uri()
        path, *others = names_of(uri, roots)
        document = Document.open(path, "", read_text(self.lines.file), others=tuple(others))
        arguments = replace(arguments, uri=uri, range=_range(self.lines, document))
        return EditorSnapshot(settings, roots, documents={uri: document}), arguments

    async def _index(self, link: Link, snapshot: EditorSnapshot) -> None:
        """Have the workspace read, where the answer needs more of it than its files by name."""
        if self.command.name == "debug" or snapshot.settings.instruct.endpoint:
            return
        await link.use(snapshot)
        deadline = time.monotonic() + _INDEX_S.get(self.command.name, _SOON_S)
        while link.building and time.monotonic() < deadline:
            await asyncio.sleep(0.02)


def parse_lines(value: str) -> Lines:
    """What a user wrote."""
    found = _LINES.fullmatch(value)
    assert found, "any text is a file's name at least"
    first = int(found["first"] or 0)
    return Lines(Path(found["file"]), first, int(found["last"] or first))


def _range(lines: Lines, document: Document) -> types.Range:
    """One line is a caret at its first word; several, or none, are selected whole."""
    last = lines.last or len(document.lines)
    if last > len(document.lines) or lines.first > last:
        which = f"line {last}" if lines.first == last else f"lines {lines.first} to {last}"
        raise RequestError(f"{lines.file} has no {which}, it ends at {len(document.lines)}.")
    line = body(document.lines[last - 1])
    start = types.Position(max(lines.first - 1, 0), 0)
    if lines.first == lines.last > 0:
        start = types.Position(start.line, len(line) - len(line.lstrip()))
        return types.Range(start, start)
    return types.Range(start, types.Position(last - 1, len(line)))
