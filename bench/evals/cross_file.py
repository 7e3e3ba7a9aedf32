"""`caret eval cross-file`: holes whose answer stands in another file, with and without context."""

from __future__ import annotations

import asyncio
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.evals.answers import filler
from bench.evals.cross_holes import CrossHole, holes_in
from bench.evals.intervals import Measure, ratio, resampled, share
from bench.evals.run import Evaluation, Plan, evaluation_options
from bench.workspace import Workspace, workspace
from lsp_server.documents import Document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.evals.answers import Answer, Filler
    from bench.evals.record import Entry
    from engine.api import Snippet

CARET = "‸"
FOLDER = Path(__file__).with_name("samples")
_TRIES, _PAUSE_S = 40, 0.02
"""A machine that is busy finds nothing in time at first; what context brings is measured here."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A workspace of two or three files, a caret in the last, and what only the others tell."""

    name: str
    files: dict[str, str]
    """Path to text; the last one has the caret."""
    expected: str
    """Part of the right completion."""

    @property
    def language(self) -> str:
        """LSP language id."""
        return self.name.partition("-")[0]

    @property
    def path(self) -> str:
        """Of the caret's file."""
        return list(self.files)[-1]

    @property
    def text(self) -> str:
        """Of the caret's file, without the mark."""
        return self.files[self.path].replace(CARET, "")

    @property
    def caret(self) -> tuple[int, int]:
        """Line and column, from 0."""
        before = self.files[self.path].partition(CARET)[0]
        return before.count("\n"), len(before) - before.rfind("\n") - 1

    def write(self, folder: Path) -> None:
        """Put the files into a folder."""
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text.replace(CARET, ""), "utf-8")

    def hole(self) -> CrossHole:
        """In a workspace that has a folder for each sample."""
        before, _, after = self.files[self.path].partition(CARET)
        path = f"{self.name}/{self.path}"
        return CrossHole(path, path, self.language, before, after, self.expected)


def read_sample(file: Path) -> Sample:
    """A file with a line `=== PATH` above each file's text, and `=== expected` at last."""
    parts = re.split(r"^=== (.+)\n", file.read_text("utf-8"), flags=re.MULTILINE)[1:]
    *files, (_, expected) = zip(parts[::2], parts[1::2], strict=True)
    return Sample(file.stem, dict(files), expected.strip())


SAMPLES = [read_sample(file) for file in sorted(FOLDER.glob("*.txt"))]


def measures(entries: Sequence[Entry]) -> list[Measure]:
    """Both shares, and what is between them, hole by hole."""
    found = [*_gained("right", "gain, in points", entries)]
    found += _gained("named", "names gained, in points", entries)
    with_context = [entry for entry in entries if entry["context"]]
    found.append(share("got context", [entry["snippets"] > 0 for entry in with_context]))
    return [*found, share("got a hint", [bool(entry["hint"]) for entry in with_context])]


def _gained(what: str, gain: str, entries: Sequence[Entry]) -> list[Measure]:
    told: dict[bool, dict[str, bool]] = {True: {}, False: {}}
    for entry in entries:
        told[entry["context"]][entry["id"].rpartition("#")[0]] = entry[what]
    both = [name for name in told[True] if name in told[False]]
    gains = [(float(told[True][name] - told[False][name]), 1.0) for name in both]
    return [
        share(f"{what} with context", list(told[True].values())),
        share(f"{what} without", list(told[False].values())),
        resampled(gain, gains, ratio),
    ]


def twice(holes: Sequence[CrossHole]) -> list[CrossHole]:
    """Each with context, then without."""
    return [
        replace(hole, id=f"{hole.id}#{'with' if context else 'without'}", context=context)
        for hole in holes
        for context in (True, False)
    ]


class Asker:
    """Asks for a hole as an editor would that has the file open."""

    def __init__(self, space: Workspace, writer: Filler) -> None:
        self._space, self._writer = space, writer
        self.context: tuple[Snippet, ...] = ()
        """That the last hole got,"""
        self.hint = ""
        """and the hint."""

    async def fill(self, hole: CrossHole) -> Answer:
        """With what is found for it, if it is to have context."""
        self.context, self.hint = await self._found(hole) if hole.context else ((), "")
        return await self._writer.fill(hole.place(self.context, self.hint))

    async def _found(self, hole: CrossHole) -> tuple[tuple[Snippet, ...], str]:
        path = (self._space.root / hole.path).as_posix()
        document = Document.open(path, hole.language, hole.prefix + hole.suffix)
        line, column = hole.prefix.count("\n"), len(hole.prefix.rpartition("\n")[2])
        self._space.opened(document)  # the index shall not know what was cut out
        context: tuple[Snippet, ...] = ()
        hint = ""
        for _ in range(_TRIES):
            hint = hint or await self._space.hint(document, line, column)
            context = context or (await self._space.gather(document, line, column))[0]
            if context and hint:
                break
            await asyncio.sleep(_PAUSE_S)
        self._space.closed(document)
        return context, hint

    def judge(self, hole: CrossHole, answer: Answer) -> Entry:
        """Whether the last answer is right."""
        return {
            "context": hole.context,
            "snippets": len(self.context),
            "hint": self.hint,
            "expected": hole.expected,
            "right": hole.right(answer.text),
            "named": hole.named(answer.text),
        }


async def _carry_out(plan: Plan, root: Path, holes: list[CrossHole]) -> None:
    async with workspace(root) as space, filler("caret", plan.settings, "") as writer:
        await space.indexed()
        asker = Asker(space, writer)
        await plan.all().carry_out(
            Evaluation(twice(plan.chosen(holes)), asker.fill, asker.judge, measures)
        )


@click.command("cross-file")
@click.argument("folder", required=False, type=click.Path(exists=True, path_type=Path))
@evaluation_options(
    "cross-file",
    click.option("--files", default=200, show_default=True, help="Of each language in FOLDER."),
    click.option("--each", default=8, show_default=True, help="Places looked at in each of them."),
    click.option("--seed", default=0, help="Choose other files and places."),
)
def command(plan: Plan, *, folder: Path | None, files: int, each: int, seed: int) -> None:
    """Complete what another file defines, with that file's definitions in the prompt and without.

    Without FOLDER: fourteen small samples in twelve languages, written for this; right is what
    has the expected words. With a project's FOLDER: ends of its lines from a name on that exactly
    one other file defines and this file has nowhere else; right is a first line that is what stood
    there, named what has that name.
    """
    if folder is not None:
        plan = plan.with_(folder=folder.name, files=files, each=each, seed=seed)
        root = folder.resolve()
        asyncio.run(_carry_out(plan, root, holes_in(root, files, each, seed)))
        return
    with tempfile.TemporaryDirectory(prefix="caret-eval-") as made:
        root = Path(made).resolve()
        for sample in SAMPLES:
            sample.write(root / sample.name)
        asyncio.run(_carry_out(plan, root, [sample.hole() for sample in SAMPLES]))
