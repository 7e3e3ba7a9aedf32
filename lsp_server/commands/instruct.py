"""`caret explain|fix|test|doc|ask|debug`: the editor's commands for the command line."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.syntax import Syntax

from lsp_server.commands.trust import offer_key
from lsp_server.consultation import Consultation, parse_lines
from lsp_server.instruct.commands import COMMANDS as KNOWN
from lsp_server.patch import diff
from lsp_server.status import describe
from lsp_server.stdio import harmless
from lsp_server.terminal import Growing
from lsp_server.textfile import texts_of, write_change

if TYPE_CHECKING:
    from engine.api import ModelStatus
    from lsp_server.consultation import Lines
    from lsp_server.instruct.assistant import Outcome
    from lsp_server.instruct.change import Change

_LINES = "FILE[:LINE[-LINE]]"
_MODEL = [
    click.Option(
        ["--model"], default="", help="A name that `caret models` lists, an id or a path."
    ),
    click.Option(["--endpoint"], default="", help="URL of an OpenAI-compatible server to ask."),
    click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object."),
]
_APPLY = [
    click.Option(["--apply"], is_flag=True, help="Show the change as a diff, and ask to write it."),
    click.Option(["--yes"], is_flag=True, help="Write it without asking."),
]
_READS = "The model reads …"
_SAYING = click.Option(["-m", "--saying"], default="", help="What you want, in words.")


def _about_lines(name: str, text: str, *options: click.Parameter) -> click.Command:
    """A command about lines of a file."""

    def run(lines: Lines, saying: str, model: str, endpoint: str, **shown: bool) -> None:
        _answer(Consultation(KNOWN[name], lines, saying, "", model, endpoint), **shown)

    argument = click.Argument(["lines"], type=parse_lines, metavar=_LINES)
    params = [argument, _SAYING, *_MODEL, *options]
    return click.Command(name, callback=run, help=text, params=params)


def _ask(question: tuple[str, ...], model: str, endpoint: str, **shown: bool) -> None:
    words = " ".join(question)
    _answer(Consultation(KNOWN["ask"], None, words, "", model, endpoint), **shown)


def _debug(saying: str, model: str, endpoint: str, **shown: bool) -> None:
    text = sys.stdin.read()
    _answer(Consultation(KNOWN["debug"], None, saying, text, model, endpoint), **shown)


explain = _about_lines("explain", "Explain code. Lines count from 1; one means what is around it.")
fix = _about_lines("fix", "Correct code; say with -m what is wrong with it.", *_APPLY)
test = _about_lines("test", "Write tests, where the project has its own.", *_APPLY)
doc = _about_lines("doc", "Write the comment of the function or class at a line.", *_APPLY)
ask = click.Command(
    "ask",
    callback=_ask,
    help="Answer a QUESTION about the project in this folder.",
    params=[click.Argument(["question"], nargs=-1, required=True), *_MODEL],
)
debug = click.Command(
    "debug",
    callback=_debug,
    help="Explain what made a program fail, from its output: caret debug < traceback.txt",
    params=[_SAYING, *_MODEL],
)


def _answer(asked: Consultation, *, as_json: bool, apply: bool = False, yes: bool = False) -> None:
    if (apply and as_json and not yes) or (yes and not apply):
        raise click.UsageError("--yes goes with --apply, and --apply --json needs it.")
    offer_key(asked.settings, "instruct")
    outcome = asyncio.run(_shown(asked, as_json=as_json))
    change = outcome.change
    shown = diff(change.path, *texts_of(change, asked.root)) if change and as_json else None
    applied = bool(apply and change and _applied(change, asked, yes=yes, quiet=as_json))
    if as_json:
        record = {
            "answer": outcome.text,
            "diff": shown,
            "applied": applied,
            "usage": [asdict(usage) for usage in outcome.usages],
        }
        click.echo(json.dumps(record))


async def _shown(asked: Consultation, *, as_json: bool) -> Outcome:
    """The answer; meanwhile a terminal shows it, and before that what is going on."""
    waiting = Console(stderr=True).status(_READS)

    def report(model: ModelStatus) -> None:
        ready = model.phase == "ready"
        waiting.update(_READS if ready else f"{model.name}: {describe(model)}")

    if as_json:
        with waiting:
            return await asked.answer(lambda _: None, report)
    with waiting, Growing(Console(highlight=False)) as shown:

        def say(text: str) -> None:
            waiting.stop()
            shown.say(text)

        return await asked.answer(say, report)


def _applied(change: Change, asked: Consultation, *, yes: bool, quiet: bool) -> bool:
    """Whether the user wanted the change, which is written then."""
    if not quiet:
        console, text = Console(), diff(change.path, *texts_of(change, asked.root))
        if console.is_terminal:
            console.print(Syntax(harmless(text), "diff"), soft_wrap=True)
        else:
            click.echo(text, nl=False)  # rich would take `[x]` for markup
    if not yes and not (sys.stdin.isatty() and click.confirm(f"Write {harmless(change.path)}?")):
        click.echo("caret: nothing was written; --yes writes without asking", err=True)
        return False
    write_change(change, asked.root)
    click.echo(f"caret: {harmless(change.path)} is written", err=True)
    return True
