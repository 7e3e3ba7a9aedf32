"""`caret complete FILE:LINE:COL`: one completion on the command line, as an editor would get it."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from engine.errors import RequestError
from lsp_server.backend import Backend
from lsp_server.commands.trust import offer_key
from lsp_server.completion import Completer, Query
from lsp_server.context import Site, site_at
from lsp_server.documents import Document, body
from lsp_server.policy import names_of, refusal
from lsp_server.settings import Settings
from lsp_server.status import describe
from lsp_server.stdio import harmless
from lsp_server.textfile import absolute, read_text

if TYPE_CHECKING:
    from engine.api import ModelStatus, Usage

_AROUND = 5
"""Lines shown above and below the caret."""
_PLACE = re.compile(r"(.+):0*([1-9]\d{0,8}):0*([1-9]\d{0,8})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """FILE:LINE:COL; LINE and COL count from 1, COL in characters."""

    file: Path
    line: int
    column: int


def parse_place(value: str) -> Place:
    """The place that a user wrote, or a usage error."""
    found = _PLACE.fullmatch(value)
    if found is None:
        raise click.BadParameter(f"{value!r} is not FILE:LINE:COL, such as main.py:12:5.")
    return Place(Path(found[1]), int(found[2]), int(found[3]))


@click.command("complete")
@click.argument("place", type=parse_place, metavar="FILE:LINE:COL")
@click.option("--model", default="", help="A name that `caret models` lists, an id or a path.")
@click.option("--endpoint", default="", help="URL of an OpenAI-compatible server to ask instead.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(place: Place, model: str, endpoint: str, as_json: bool) -> None:
    """Complete code at FILE:LINE:COL, which count from 1.

    On a terminal the completion is shown in its place, elsewhere it is printed alone.
    """
    settings = Settings()
    settings = replace(settings, fim=replace(settings.fim, model=model, endpoint=endpoint))
    site = read_site(place, settings)
    offer_key(settings, "infill")
    texts, usage = asyncio.run(_complete(Query(str(place.file), site, invoked=True), settings))
    text = texts[0] if texts else ""
    if as_json:
        click.echo(json.dumps({"completion": text, "usage": asdict(usage) if usage else None}))
    elif not text:
        click.echo("caret: nothing to complete here", err=True)
    elif (console := Console(highlight=False)).is_terminal:
        console.print(in_place(site, text))
    else:
        click.echo(text)


def read_site(place: Place, settings: Settings) -> Site:
    """The site of a place.

    Raises:
        RequestError: there is no such place, or Caret keeps out of the file.
    """
    text = read_text(place.file)
    path, *others = names_of(absolute(place.file).as_uri(), ())
    document = Document.open(path, "", text, others=tuple(others))
    if reason := refusal(document, settings):
        raise RequestError(f"Nothing is completed in {place.file}: {reason}.")
    if place.line > len(document.lines):
        raise RequestError(
            f"{place.file} has no line {place.line}, it ends at {len(document.lines)}."
        )
    line = body(document.lines[place.line - 1])
    if place.column > len(line) + 1:
        raise RequestError(
            f"Line {place.line} of {place.file} has no column {place.column}, it ends at "
            f"{len(line) + 1}."
        )
    at = place.line - 1, place.column - 1
    return site_at(document.lines, *at, language=document.language, path=place.file.name)


def in_place(site: Site, text: str) -> Text:
    """A few lines around the caret with the completion in colour."""
    above = "\n".join(site.prefix.split("\n")[-_AROUND - 1 :])
    below = "\n".join(site.suffix.split("\n")[: _AROUND + 1])
    shown = (above, "dim"), (text, "bold green"), (below, "dim")
    return Text.assemble(*((harmless(part), style) for part, style in shown))


async def _complete(query: Query, settings: Settings) -> tuple[list[str], Usage | None]:
    """Texts and what they cost; meanwhile, a terminal shows what is going on."""
    with Console(stderr=True).status("") as line:

        def report(model: ModelStatus) -> None:
            line.update(f"{model.name}: {describe(model)}")

        backend = Backend(report)
        completer = Completer(backend)
        try:
            await backend.use(settings)
            return await completer.suggest(query, settings), completer.last_usage
        finally:
            await backend.aclose()
