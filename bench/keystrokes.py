"""`caret bench keystrokes`: typing in real files, through Caret and as llama.vim does."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.editor import CaretDocument, caret_editor
from bench.home import private_home
from bench.keystroke_figures import Sides, figures, notes
from bench.llama_server import flags, llama_server
from bench.llama_vim import LlamaVimDocument
from bench.ours import at_rest, attached_engine
from bench.plot import draw_keystrokes
from bench.replay import ask, replay
from bench.run import benchmark_options
from bench.sites import Site, find_sites, own_files
from bench.writing import Writing, without_drafts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.keystroke_figures import Side
    from bench.llama_server import LlamaServer
    from bench.ours import Engine
    from bench.replay import Document, Key
    from bench.run import Run
    from lsp_server.demo.client import Editor

_WARM_UP = Site(Path("add.py"), 1, "def add(a, b):\n    return ", "a + b", "\n")

_JUMPED = 2
"""Files in which it is measured; two sites in each, since new places take the peer the longest."""


@click.command("keystrokes")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@benchmark_options(plot=True)
@click.option("--sites", type=click.IntRange(1), default=1, show_default=True, help="In each file.")
@click.option("--lines", type=click.IntRange(1), default=1, show_default=True, help="At each site.")
@click.option("--seed", default=7, show_default=True, help="Chooses the sites.")
@click.option("--accept", is_flag=True, help="Take a suggestion that is the rest of the line.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Open it as the workspace: Caret takes context from it.",
)
@click.option("--idle", default=5.0, show_default=True, help="Seconds the caret stands.")
def command(
    run: Run,
    files: tuple[Path, ...],
    *,
    sites: int,
    lines: int,
    seed: int,
    accept: bool,
    folder: Path | None,
    idle: float,
) -> None:
    r"""Type in real FILES, key by key: how long until the answer?

    Lines are taken out of each file and typed again; the next key falls when the last one was
    answered. Caret answers through the real `caret lsp` over stdio. The other side is an editor
    with llama.vim: its request to llama-server (256 lines above, 64 below, one line wanted) and
    its cache, which answers while what is typed is what was suggested. At one site one side
    types first, at the next the other, and each waits until the other computes nothing.

    Without FILES, some of Caret's own are typed: every machine has them, and no model was
    trained on them. --quick types in the first file only. With --folder, FILES lie in it.
    With --accept, Caret hides what it is too unsure of, as it does for users.

    \b
    key to answer   every key but the first at each site
    off keys        the key went another way than the last suggestion: no cache can know
    new place       the first key after a file was opened
    jump            the first key at another site of the file: at once, and when the caret has
                    stood there for --idle seconds (the engine may read ahead)
    no model call   keys that Caret answered without asking its engine
    new tokens      of the prompt, that the model had to read for one key
    written         what the model wrote while keys were typed: tokens that a pass gave, and the
                    time of a pass for each; without drafts it is measured afterwards
    """
    chosen = list(files) or own_files()
    chosen = chosen[:1] if run.quick else chosen
    typing = find_sites(chosen, sites, lines, seed)
    jumps = find_sites(chosen[:_JUMPED], 2, 1, seed + 1)
    with run.measuring(), private_home():
        sides = asyncio.run(_measure(run, folder, typing, jumps, accept=accept, idle=idle))
    run.finish(
        "keystrokes",
        figures(sides, accept=accept, idle=idle),
        data={name: [asdict(key) for key in keys] for name, keys in sides.by_name().items()},
        notes=notes(typing, sides),
        flags=flags(),
        draw=draw_keystrokes,
    )


async def _measure(
    run: Run,
    folder: Path | None,
    typing: list[Site],
    jumps: list[Site],
    *,
    accept: bool,
    idle: float,
) -> Sides:
    sides = Sides()
    async with _Bench.open(run, folder and folder.resolve(), show_all=not accept) as bench:
        await bench.warm_up()
        before = await bench.engine.settled()
        for number, site in enumerate(typing):
            for side in bench.names if number % 2 == 0 else reversed(bench.names):
                run.say(f"{site.name}: {side} types ({number + 1} of {len(typing)})")
                async with bench.document(side, site) as document:
                    sides.typed[side] += await replay(site, document, accept=accept)
        after = await bench.engine.settled()
        for number, site in enumerate(jumps):
            kept, rest = (sides.rested, idle) if number % 2 else (sides.jumped, 0)
            for side in bench.names:
                run.say(f"{site.name}: jump, {side}")
                async with bench.document(side, site) as document:
                    kept[side].append(await _jump(site, document, rest))
        plain = await without_drafts(bench.engine, run.model.name, typing[-1].before)
    return replace(sides, writing=Writing.between(before, after, plain))


async def _jump(site: Site, document: Document, rest: float) -> Key:
    if rest:
        await document.rest(len(site.before))
        await asyncio.sleep(rest)
    return await ask(site, document)


class _Bench:
    """Both sides, ready, with documents to open."""

    def __init__(self, editor: Editor, engine: Engine, server: LlamaServer | None) -> None:
        self._editor, self.engine, self._server = editor, engine, server
        self.names: list[Side] = ["caret", "peer"] if server else ["caret"]

    @classmethod
    @asynccontextmanager
    async def open(cls, run: Run, folder: Path | None, *, show_all: bool) -> AsyncIterator[_Bench]:
        """Start both, Caret with `folder` as its workspace."""
        async with AsyncExitStack() as stack:
            run.say("Caret loads the model")
            caret = caret_editor(run.model.name, run.say, folder, show_all=show_all)
            editor = await stack.enter_async_context(caret)
            engine = await stack.enter_async_context(attached_engine())
            server = None
            if run.peer:
                run.say("llama.cpp loads the model")
                server = await stack.enter_async_context(llama_server(run.peer, run.model.path))
            yield cls(editor, engine, server)

    async def warm_up(self) -> None:
        """One answer that does not count, from each side."""
        for side in self.names:
            async with self.document(side, _WARM_UP) as document:
                await ask(_WARM_UP, document)

    @asynccontextmanager
    async def document(self, side: Side, site: Site) -> AsyncIterator[Document]:
        """A document open on one side, while the other computes nothing."""
        for process in (self.engine.process, *([self._server.process] if self._server else [])):
            await at_rest(process)
        document = self._open(side, site)
        yield document
        await document.close()

    def _open(self, side: Side, site: Site) -> Document:
        if side == "caret":
            return CaretDocument(self._editor, self.engine, site)
        assert self._server is not None
        return LlamaVimDocument(self._server, site)
