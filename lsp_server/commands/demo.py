"""`caret demo`: a sample in seven languages, completed through the real server."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from engine.models import DEFAULT_FIM
from lsp_server.demo import samples, show
from lsp_server.demo.client import caret_command, editor

if TYPE_CHECKING:
    from rich.console import Console

    from lsp_server.demo.client import Editor


@click.command("demo")
@click.option("--model", default=DEFAULT_FIM, show_default=True, help="The model that completes.")
def command(model: str) -> None:
    """Complete a sample in seven languages through the real server.

    Starts `caret lsp` as an editor does, waits until its model is ready and asks for an inline
    completion in each sample. Exit code 1 if any of them comes back empty.
    """
    console = show.console()
    console.print(f"Starting caret lsp with {model} ...")
    done = asyncio.run(_demo(model, console))
    console.print(show.next_steps(caret_command()))
    sys.exit(0 if done else 1)


async def _demo(model: str, console: Console) -> bool:
    with _progress(console) as progress:
        task = progress.add_task("starting the language server", total=100)
        async with editor(
            model,
            lambda message, percent: progress.update(task, description=message, completed=percent),
        ) as client:
            await client.until_ready()
            progress.stop()
            return await _tour(client, console)


async def _tour(client: Editor, console: Console) -> bool:
    whole = True
    for sample in samples.load():
        answer = await client.complete(sample)
        console.print(show.completed(sample, answer, colour=console.color_system is not None))
        whole = whole and answer is not None and answer.text.strip() != ""
    return whole


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
