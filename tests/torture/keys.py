"""Eight keys a second for ten minutes in each of three documents, with a small model.

A suggestion must fit the text at the time of its request, and come before the answer to a newer
request. Ten seconds after the last key nothing works any more, and memory is what it was.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import itertools
import os
import tarfile
import tempfile
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import psutil
from lsprotocol import types

from engine.paths import models_dir
from tests.editor import editors
from tests.home import own_home
from tests.torture.figures import Figures

if TYPE_CHECKING:
    from concurrent.futures import Future

    from tests.editor import Editor

DOCUMENTS, SECONDS, WARM_UP_S = 3, 600.0, 120.0
_BETWEEN_S = 1 / 8
_REST_S, _WATCHED_S = 10.0, 5.0
_PATIENCE_S = 60.0
_MOST_GROWTH, _MOST_CPU = 0.05, 0.01
# The engine has so little memory that the warm-up fills its KV caches: later growth is a leak.
OPTIONS = {"fim": {"model": "qwen2.5-coder-0.5b"}, "engine": {"memory": 0.8}}
_SOURCES = [Path(inspect.getfile(module)).read_text() for module in (argparse, textwrap, tarfile)]
_LENGTHS = 4_000, 20_000, 100_000  # the most characters that each document begins with


@dataclass
class Seen:
    """Counts of keys and suggestions, and the faults that were found."""

    keys: int = 0
    shown: int = 0
    stale: list[str] = field(default_factory=list)
    open: set[Future[Any]] = field(default_factory=set)
    """Requests that have no answer yet."""


class Document:
    """A text that somebody types into, and the requests that each key makes."""

    def __init__(self, editor: Editor, number: int, random: Random, seen: Seen) -> None:
        self._editor, self._random, self._seen = editor, random, seen
        source = _SOURCES[number % len(_SOURCES)]
        self._typed = itertools.cycle(source)
        self._text = source[: _LENGTHS[number % len(_LENGTHS)]]
        self._at = len(self._text) // 2
        self._uri = editor.open(self._text, f"typed{number}.py")
        self._versions, self._numbers = itertools.count(2), itertools.count()
        self._answered = -1

    def key(self) -> None:
        """Type or take back a character, here or elsewhere, and ask for a suggestion."""
        if self._random.random() < 0.01:
            self._at = self._random.randrange(1, len(self._text))
        if self._random.random() < 0.05:
            self._replace(self._at - 1, "")
        else:
            self._replace(self._at, next(self._typed))
        line, column = self._position(self._at)
        future = self._editor.ask(self._uri, line, column)
        asked = next(self._numbers), line, column, self._text.split("\n")[line]
        self._seen.keys += 1
        self._seen.open.add(future)
        future.add_done_callback(lambda done: self._take(done, *asked))

    def _replace(self, start: int, text: str) -> None:
        """Put a text between `start` and the cursor."""
        span = types.Range(*(types.Position(*self._position(at)) for at in (start, self._at)))
        self._text = self._text[:start] + text + self._text[self._at :]
        self._at = start + len(text)
        document = types.VersionedTextDocumentIdentifier(next(self._versions), self._uri)
        change = types.TextDocumentContentChangePartial(span, text)
        params = types.DidChangeTextDocumentParams(document, [change])
        self._editor.text_document_did_change(params)

    def _position(self, at: int) -> tuple[int, int]:
        line = self._text.count("\n", 0, at)
        return line, at - (self._text.rfind("\n", 0, at) + 1)

    def _take(self, done: Future[Any], number: int, line: int, column: int, before: str) -> None:
        self._seen.open.discard(done)
        for item in done.result().items:
            self._seen.shown += 1
            start, end = item.range.start, item.range.end
            fits = (start.line, end.line) == (line, line) and (
                start.character <= column <= end.character <= len(before)
                and item.insert_text.startswith(before[start.character : column])
            )
            if number < self._answered or not fits:
                self._seen.stale.append(f"{item.insert_text!r} at {column} of {before!r}")
        self._answered = max(self._answered, number)


async def type_for(seconds: float, documents: list[Document]) -> None:
    """Type into all of them at once."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(round(seconds / _BETWEEN_S)):
        for document in documents:
            document.key()
        await asyncio.sleep(began + (number + 1) * _BETWEEN_S - loop.time())


async def all_answered(seen: Seen) -> int:
    """Wait for the answers; return how many do not come."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE_S
    while seen.open and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.05)
    return len(seen.open)


def run(seed: int, scale: float) -> Figures:
    """Type `scale` times as long."""
    with tempfile.TemporaryDirectory() as folder, own_home(Path(folder), models_dir()):
        return asyncio.run(_typed(seed, scale))


async def _typed(seed: int, scale: float) -> Figures:
    seen = Seen()
    with tempfile.TemporaryDirectory() as folder:
        for number, source in enumerate(_SOURCES):
            Path(folder, f"module{number}.py").write_text(source)
        async with editors(dict(os.environ)) as start:
            editor = await start(OPTIONS, folder=Path(folder), deadline_s=_PATIENCE_S)
            random = Random(seed)
            documents = [Document(editor, n, random, seen) for n in range(DOCUMENTS)]
            await type_for(min(WARM_UP_S, SECONDS * scale), documents)
            await all_answered(seen)
            await asyncio.sleep(_REST_S)
            before = _memory()
            await type_for(SECONDS * scale, documents)
            unanswered = await all_answered(seen)
            await asyncio.sleep(_REST_S)
            cpu, after = await _cpu(), _memory()
    grown = after / before - 1
    off = [f"stale: {each}" for each in seen.stale]
    off += [f"memory has grown by {grown:.1%}"] if abs(grown) > _MOST_GROWTH else []
    off += [f"{cpu:.1%} of a processor at rest"] if cpu > _MOST_CPU else []
    off += [f"{unanswered} requests without an answer"] if unanswered else []
    told = (
        f"{seen.keys:,} keys in {DOCUMENTS} documents, {seen.shown:,} suggestions, "
        f"{len(seen.stale)} stale, {unanswered} requests unanswered; "
        f"{before >> 20:,} MiB before, {after >> 20:,} MiB after ({grown:+.1%}); "
        f"{cpu:.1%} of a processor at rest"
    )
    return Figures(told, tuple(off))


def _memory() -> int:
    """Return the resident bytes of the server, its index and its engine.

    The model's among them count whole, whoever else has mapped the same file.
    """
    return sum(each.memory_info().rss for each in psutil.Process().children(recursive=True))


async def _cpu() -> float:
    """Return the processors that all of them use at rest."""

    def used() -> float:
        return sum(sum(each.cpu_times()[:2]) for each in psutil.Process().children(recursive=True))

    before = used()
    await asyncio.sleep(_WATCHED_S)
    return (used() - before) / _WATCHED_S
