"""`caret eval fix`: HumanEvalPack (arXiv 2308.07124): functions with a bug, and their docstrings.

The function is given with its docstring, its tests are not: they judge. The way through Caret is
the user's: the file, the command, the model's answer, the change of the file.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
from lsprotocol import types

from bench.evals.answers import Answer
from bench.evals.data import read, with_places
from bench.evals.functions import Problem, carry_out, judge
from bench.evals.infill import DATA, SERVER
from bench.evals.intervals import share
from bench.evals.run import Evaluation, Plan, evaluation_options
from bench.evals.sandbox import Sandbox
from engine.errors import AnswerUnusable, RequestError
from lsp_server.arguments import Arguments
from lsp_server.asking import ask_of
from lsp_server.backend import Backend
from lsp_server.documents import Document
from lsp_server.instruct.assistant import Assistant
from lsp_server.instruct.commands import COMMANDS
from lsp_server.instruct.syntax import complaints
from lsp_server.snapshot import EditorSnapshot
from lsp_server.textfile import write_change

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from bench.evals.intervals import Measure
    from bench.evals.record import Entry
    from engine.api import ChatRequest, ModelStatus, Piece
    from lsp_server.instruct.assistant import Speaker
    from lsp_server.instruct.change import Change
    from lsp_server.settings import Settings

_WISH = "Fix the bug in `{name}`."
_TOKENS = 1024
"""Of an answer, as `caret.instruct.maxTokens` has it."""


@dataclass(frozen=True, slots=True)
class Buggy:
    """A row of the data."""

    id: str
    name: str
    before: str
    """What stands above the function, and its head."""
    text: str
    """The file with the bug."""
    test: str

    @property
    def wish(self) -> str:
        """What both ways say of it."""
        return _WISH.format(name=self.name)

    @property
    def row(self) -> int:
        """Index of the function's first line."""
        return self.text[: self.text.rindex(f"def {self.name}(")].count("\n")


@dataclass(frozen=True, slots=True)
class Fixed(Answer):
    """A file after the command."""

    tries: int = 1
    """Answers of the model, 2 with a retry."""
    applied: bool = False
    moved: bool = False
    """The change was applied to a file that had changed meanwhile too, which must never be."""


def buggy(row: dict[str, Any]) -> Buggy:
    """The function with its docstring and its bug."""
    text = row["prompt"] + row["buggy_solution"]
    return Buggy(row["task_id"], row["entry_point"], row["declaration"], text, row["test"])


def by_hand(sample: Buggy) -> Problem:
    """What a person would write to a chat. Told to give code only, small models copy it."""
    prompt = f"```python\n{sample.text}```\n\n{sample.wish} Give the whole function."
    before = f"{sample.before}    pass\n"
    test = f"\n{sample.test}\n"
    return Problem(sample.id, prompt, chat=True, before=before, test=test, max_tokens=_TOKENS)


class Counted:
    """A model that counts its answers and their tokens."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self.tries = self.tokens = 0

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        """See `lsp_server.instruct.assistant.Speaker`."""
        self.tries += 1
        before = self.tokens
        async for piece in self._speaker.chat(request):
            if piece.usage:
                self.tokens = before + piece.usage.completion_tokens
            yield piece


class Fixer:
    """`caret.fix` on one file after the other, each applied as the command line does it."""

    def __init__(self, speaker: Speaker, settings: Settings) -> None:
        self._speaker, self._settings = speaker, settings

    async def fix(self, sample: Buggy) -> Fixed:
        """The file afterwards; the same as before where the change was refused."""
        start, model = time.perf_counter(), Counted(self._speaker)
        try:
            change = await self._change(sample, model)
        except AnswerUnusable:
            change = None
        seconds = time.perf_counter() - start
        text = _written(change, sample.text) if change else None
        moved = change is not None and _written(change, f"# moved\n{sample.text}") is not None
        shown = sample.text if text is None else text
        return Fixed(shown, seconds, model.tokens, None, model.tries, text is not None, moved)

    async def _change(self, sample: Buggy, model: Counted) -> Change | None:
        uri, at = "file:///project/module.py", types.Position(sample.row, 0)
        document = Document.open("/project/module.py", "python", sample.text)
        arguments = Arguments(uri=uri, range=types.Range(at, at), instruction=sample.wish)
        view = EditorSnapshot(self._settings, encoding="utf-32", documents={uri: document})
        ask = ask_of(COMMANDS["fix"], arguments, view)
        return (await Assistant(model).answer(ask, self._settings.instruct, _quiet)).change


def _written(change: Change, text: str) -> str | None:
    """A file with some text after the change; None if that is refused."""
    with TemporaryDirectory() as folder:
        file = Path(folder, change.path)
        file.write_text(text, "utf-8")
        try:
            write_change(change, Path(folder))
        except RequestError:
            return None
        return file.read_text("utf-8")


@asynccontextmanager
async def fixer(settings: Settings) -> AsyncIterator[Fixer]:
    """Caret, with the model that the settings name."""
    backend = Backend(_still, None, "instruct")
    try:
        await backend.use(settings)
        yield Fixer(backend, settings)
    finally:
        await backend.aclose()


def verdict(sandbox: Sandbox, sample: Buggy, answer: Answer) -> Entry:
    """Whether the file passes, and whether it parses."""
    problem = replace(by_hand(sample), chat=False, before="")
    return judge(sandbox, problem, answer) | {"parses": not complaints(answer.text, "python")}


def measures(entries: Sequence[Entry]) -> list[Measure]:
    """Pass@1, what the retry adds, and what became of the edits."""
    asked = [entry for entry in entries if not entry["error"]]
    applied = [entry for entry in asked if entry["applied"]]
    return [
        share("pass@1", [entry["passed"] for entry in entries]),
        share("without retry", [e["passed"] and e["tries"] == 1 for e in asked]),
        share("applied", [entry["applied"] for entry in asked]),
        share("of these, parse", [entry["parses"] for entry in applied]),
        share("applied to a changed file", [entry["moved"] for entry in asked]),
    ]


async def _through_caret(plan: Plan, samples: list[Buggy]) -> None:
    sandbox = Sandbox()
    async with fixer(plan.settings) as caret:
        await plan.carry_out(
            Evaluation(
                samples,
                caret.fix,
                lambda sample, answer: verdict(sandbox, sample, answer),
                measures,
                (f"Generated code runs in: {sandbox.in_force}.",),
            )
        )


@click.command("fix")
@evaluation_options(
    "fix",
    DATA,
    click.option(
        "--through",
        default="caret",
        type=click.Choice(["caret", "prompt"]),
        help="caret: as users get it; prompt: the model alone, with a prompt written by hand.",
    ),
    SERVER,
)
def command(plan: Plan, *, data: Path, through: str) -> None:
    """Fix 164 Python functions with a bug each: pass@1.

    The model gets the function and its docstring, not its tests.
    """
    samples = [buggy(row) for row in read(data, "humanevalpack-python")]
    if through == "caret" and plan.server:
        raise click.UsageError("--server is asked by a prompt: add --through prompt.")
    plan = plan.with_(through=through)
    if through == "caret":
        asyncio.run(_through_caret(plan, samples))
    else:
        asyncio.run(carry_out(plan, [by_hand(sample) for sample in samples]))


def _quiet(_: str) -> None:
    """The text is not shown."""


def _still(_: ModelStatus) -> None:
    """Nor the model's way into memory."""


command = with_places(command)
