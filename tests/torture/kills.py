"""SIGKILL of the engine and of the index at random moments of what they do.

Every request must be answered, an edit applied whole or not at all, and what is asked for anew be
right. It comes within twice the slowest of the undisturbed starts, of the engine for such work or
of the index, and the pause that the server keeps after a failure.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import click
import psutil
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from engine.paths import models_dir, packed_dir
from lsp_server import backend, trust
from tests import hub
from tests.editor import editors
from tests.home import own_home
from tests.instructed import STATS, place
from tests.torture import files
from tests.torture.figures import Figures

if TYPE_CHECKING:
    from tests.editor import Editor, StartEditor

KILLS = 200  # of the engine, and of the index
ENGINE, INDEX = "engine", "lsp_server.workspace.process"
_STARTS = 3  # undisturbed ones that are measured for each kind of work
_LIVES = 3  # kills of the index in one server; after more in a row, its pauses become long
_MODULES, _MISSED, _PATIENCE_S = 200, 20, 180.0
_SMALL = {"model": "qwen2.5-coder-0.5b"}
_AREA = "\n\ndef area(width: float, height: float) -> float:\n    ret\n\n\nprint(area(2, 3))\n"
_SORT = 'def quicksort(numbers: list[int]) -> list[int]:\n    """Sort in ascending order."""\n    '


class Completing:
    """Suggestions, a short one and a long one."""

    options: ClassVar[dict[str, Any]] = {"fim": _SMALL}
    cold = False  # True if the kill comes while the engine starts, with no model in memory

    def clear(self) -> None:
        """Remove what a start makes anew."""

    async def do(self, editor: Editor) -> object:
        """Return all answers, which are the same each time; JsonRpcException where one fails."""
        short = editor.items(editor.open(_AREA, "area.py"), 3, 7, invoked=True)
        long = editor.items(editor.open(_SORT, "sort.py"), 2, 4, invoked=True)
        return [items[0].insert_text for items in await asyncio.gather(short, long)]

    def half_done(self, editor: Editor, whole: object) -> bool:
        """Return whether a failed attempt left something behind."""
        del editor, whole
        return False


class Editing(Completing):
    """A command whose edit is applied, and a suggestion in the text that this makes."""

    options: ClassVar = {"fim": _SMALL, "instruct": _SMALL | {"maxTokens": 200}}

    async def do(self, editor: Editor) -> object:
        uri = editor.open(STATS, "stats.py")
        wrong = place(uri, 6)["range"] | {"end": {"line": 6, "character": 40}}
        problem = {"range": wrong, "message": "undefined name 'valeu'", "source": "pyflakes"}
        await editor.ask_caret("fix", place(uri, 6, diagnostics=[problem]))
        fixed = editor.texts_of[uri]
        editor.change(uri, types.TextDocumentContentChangeWholeDocument(fixed + _AREA))
        (text, *_) = await editor.texts(uri, fixed.count("\n") + 3, 7, invoked=True)
        return fixed, text

    def half_done(self, editor: Editor, whole: object) -> bool:
        assert isinstance(whole, tuple)
        return editor.texts_of[f"file://{editor.folder}/stats.py"] not in (STATS, whole[0])


class Packing(Completing):
    """A question to a model that is packed first."""

    options: ClassVar = {
        "instruct": {"model": "smollm2-135m", "maxTokens": 16},
        "completion": {"enable": False},
    }
    cold = True

    def clear(self) -> None:
        for path in packed_dir().glob("smollm2*.safetensors"):
            path.unlink()

    async def do(self, editor: Editor) -> object:
        answer = await editor.ask_caret("explain", place(editor.open(STATS, "stats.py"), 4))
        return answer.text

    def half_done(self, editor: Editor, whole: object) -> bool:
        """Return whether two packed files are left; the next answer shows if one is whole."""
        return len(list(packed_dir().glob("smollm2*.safetensors"))) > 1


class Pulling(Completing):
    """A suggestion of a model that is downloaded first."""

    options: ClassVar = {"fim": {"model": hub.MODEL}}
    cold = True

    def clear(self) -> None:
        for path in models_dir().glob("*owner--name*"):
            path.unlink()

    async def do(self, editor: Editor) -> object:
        return await editor.texts(editor.open(_AREA, "area.py"), 3, 7, invoked=True)


@dataclass
class Kills:
    """Kills during one kind of work: times and faults."""

    process: str  # the module that is killed
    starts: list[float] = field(default_factory=list)  # seconds from nothing to an answer
    next: list[float] = field(default_factory=list)  # seconds from each kill to the next answer
    off: list[str] = field(default_factory=list)
    missed: int = 0  # answers in a row that came before the kill

    @property
    def within(self) -> float:
        """Seconds in which the next answer is to come."""
        return 2 * max(self.starts) + backend._RETRY_ENGINE_S

    async def disturb(self, editor: Editor, work: Completing, whole: object, after: float) -> None:
        """Kill the process a while after the work began, and see what becomes of it."""
        doing = asyncio.create_task(self._answer(editor, work))
        await asyncio.wait([doing], timeout=after)
        while not (dead := await asyncio.to_thread(killed, self.process)) and not doing.done():
            await asyncio.sleep(0.01)
        began = time.monotonic()
        answer = await doing
        if answer not in (None, whole):
            self.off.append(f"{type(work).__name__}: {answer!r} is not {whole!r}")
        if work.half_done(editor, whole):
            self.off.append(f"{type(work).__name__}: half done")
        while (answer := await self._answer(editor, work)) is None:
            if time.monotonic() - began > _PATIENCE_S:
                self.off.append(f"{type(work).__name__}: no answer again")
                return
        self.missed = 0 if dead else self.missed + 1
        if dead:
            self.next.append(time.monotonic() - began)
        elif self.missed > _MISSED:
            self.off.append(f"{type(work).__name__}: there is no process to kill")
        if answer != whole:
            self.off.append(f"{type(work).__name__}, anew: {answer!r} is not {whole!r}")

    async def _answer(self, editor: Editor, work: Completing) -> object:
        """Return an answer; None instead of an error in words."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await work.do(editor)
        except TimeoutError:
            self.off.append(f"{type(work).__name__}: a request without an answer")
        except JsonRpcException:
            pass
        return None

    def late(self) -> list[str]:
        """Return the answers that took too long."""
        late = [seconds for seconds in self.next if seconds > self.within]
        return [f"an answer {seconds:.1f} s after a kill" for seconds in late]

    def told(self, name: str) -> str:
        """Return the figures in words."""
        return (
            f"{len(self.next)} kills amid {name}: next answer after {_spread(self.next)}"
            f" (a start {_spread(self.starts)}; wanted within {self.within:.1f} s)"
        )


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.1f} s, at most {max(seconds):.1f} s"


def killed(module: str) -> bool:
    """Kill the process that runs a module, of those that this process has started."""
    found = False
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if module in process.cmdline():
                process.kill()
                process.wait(_PATIENCE_S)
                found = True
    return found


def run(seed: int, scale: float) -> Figures:
    """Kill both `scale` times as often."""
    with (
        tempfile.TemporaryDirectory() as folder,
        own_home(Path(folder), _models(Path(folder)), packed=False) as home,
        hub.serving(_hub(home)),
    ):
        trust.decide_model(hub.MODEL, download=True)
        return asyncio.run(_all(Random(seed), scale))


def _models(home: Path) -> Path:
    """Return a folder with links to the user's models, beside which others may be pulled."""
    folder = home / "own"
    folder.mkdir()
    for path in models_dir().iterdir():
        if path.suffix != ".lock":
            (folder / path.name).symlink_to(path)
    return folder


def _hub(home: Path) -> hub.Hub:
    """Return a slow Hub with a model of random weights."""
    model = home / "tiny.gguf"
    files.write_model(model)
    return hub.Hub({"model.gguf": model.read_bytes()}, pause_s=0.2)


async def _all(random: Random, scale: float) -> Figures:
    works = (Completing(), Editing(), Packing(), Pulling())
    seen: dict[str, Kills] = {}
    for work in works:
        async with editors(dict(os.environ)) as start:
            times = max(1, round(KILLS / len(works) * scale))
            name = type(work).__name__.lower()
            seen[name] = await _engine(start, work, random, times)
            click.echo(f"  {seen[name].told(name)}", err=True)
    seen["the index at work"] = await _index(random, max(1, round(KILLS * scale)))
    told = "; ".join(kills.told(name) for name, kills in seen.items())
    off = [each for kills in seen.values() for each in [*kills.off, *kills.late()]]
    return Figures(told, tuple(off))


async def _engine(start: StartEditor, work: Completing, random: Random, times: int) -> Kills:
    kills, whole = Kills(ENGINE), None
    editor = await start(work.options, until=None)
    for _ in range(_STARTS):
        killed(ENGINE)
        work.clear()
        began = time.monotonic()
        whole = await work.do(editor)
        kills.starts.append(time.monotonic() - began)
    began = time.monotonic()
    await work.do(editor)
    lasts = max(kills.starts) if work.cold else time.monotonic() - began
    while len(kills.next) < times and not kills.off:
        if work.cold:
            killed(ENGINE)
            work.clear()
        await kills.disturb(editor, work, whole, random.uniform(0, lasts))
    killed(ENGINE)  # the next server would find it, and is not its parent
    return kills


async def _index(random: Random, times: int) -> Kills:
    """Kill the index a few times in each server; the engine lives on."""
    kills, whole = Kills(INDEX), None
    with tempfile.TemporaryDirectory() as name:
        for number in range(_MODULES):
            Path(name, f"m{number}.py").write_text(f"def f{number}(x):\n    return x\n" * 50)
        while len(kills.next) < times and not kills.off:
            async with editors(dict(os.environ)) as start:
                began = time.monotonic()
                editor = await start(Editing.options, folder=Path(name), deadline_s=_PATIENCE_S)
                await indexed(editor)
                kills.starts.append(time.monotonic() - began)
                whole = whole or await Editing().do(editor)
                for death in range(1, _LIVES + 1):
                    await kills.disturb(editor, Editing(), whole, random.uniform(0, 3))
                    kills.off += await restored(editor, death)
    return kills


async def indexed(editor: Editor) -> None:
    """Wait until the index has all files."""
    async with asyncio.timeout(_PATIENCE_S):
        while (await editor.command("caret.status"))["context"]["files"] is None:
            await asyncio.sleep(0.05)


async def restored(editor: Editor, deaths: int) -> list[str]:
    """Wait until the index is whole again; return what is not as it should be after its deaths."""
    await indexed(editor)
    counted = (await editor.command("caret.status"))["context"]["deaths"]
    off = [f"{counted} deaths of the index instead of {deaths}"] if counted != deaths else []
    told = any("times in a row" in message.message for message in editor.messages)
    return off if told == (deaths >= _LIVES) else [*off, "three deaths in a row are not told"]
