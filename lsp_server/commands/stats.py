"""`caret stats`: what became of Caret's suggestions, from the numbers on this machine."""

from __future__ import annotations

import datetime
import json
import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lsp_server.statistics.counts import SOURCES
from lsp_server.statistics.store import Store
from lsp_server.statistics.summary import Figures, Summary, summarise

if TYPE_CHECKING:
    from collections.abc import Mapping

_BAR = 40
"""Characters of the longest bar."""


@click.command("stats")
@click.option("--days", type=click.IntRange(1, 36500), default=30, help="How many; 30 by default.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--reset", is_flag=True, help="Forget all numbers.")
def command(days: int, as_json: bool, reset: bool) -> None:
    """Tell what became of suggestions: shown, accepted and kept, and how fast they came.

    The numbers are counted and kept on this machine; `caret.statistics.enable` switches that off.
    """
    store = Store(lambda news: click.echo(f"caret: {news}", err=True))
    if reset:
        store.clear()
        click.echo("The statistics begin anew.")
        return
    since = (datetime.date.today() - datetime.timedelta(days=days - 1)).isoformat()
    summary = summarise(store.read(since))
    if as_json:
        click.echo(json.dumps(_record(since, summary), indent=2))
    elif not summary.days:
        click.echo(f"Nothing was counted since {since}.")
    else:
        # A pipe has no width: let a line be as long as it needs.
        _show(summary, Console(width=None if sys.stdout.isatty() else 120, highlight=False))


def _record(since: str, summary: Summary) -> dict[str, object]:
    return {
        "since": since,
        "total": summary.total.record(),
        "languages": {name: figures.record() for name, figures in summary.languages.items()},
        "days": {day: figures.record() for day, figures in summary.days.items()},
    }


def _show(summary: Summary, console: Console) -> None:
    rows = dict(summary.languages)
    if len(rows) > 1:
        rows["all"] = summary.total
    for part in (_languages(rows), _latencies(summary.total), _days(summary.days)):
        console.print(part)
        console.print()


def _table(first: str, *rest: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for column in rest:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _languages(rows: Mapping[str, Figures]) -> Table:
    table = _table(
        *("language", "shown", "accepted", "", "whole", "line", "word"),
        *("kept", "saved", "tokens/s", "no model"),
    )
    for name, figures in rows.items():
        counts = (figures.counts[column] for column in ("whole", "line", "word"))
        table.add_row(
            name,
            *(str(figures.counts[column]) for column in ("shown", "accepted")),
            _percent(figures.acceptance),
            *map(str, counts),
            _percent(figures.kept),
            str(figures.counts["characters"]),
            _rounded(figures.tokens_per_s, 1),
            _percent(figures.without_model),
        )
    return table


def _latencies(total: Figures) -> Table:
    table = _table("time to answer, ms", "answers", "median", "95 %", "99 %")
    told = {source: total.latency(source) for source in SOURCES} | {"all": total.latency()}
    for name, latency in told.items():
        percentiles = (latency.get(f"p{n}_ms") for n in (50, 95, 99))
        table.add_row(name, str(latency["answers"]), *(_rounded(ms, 0) for ms in percentiles))
    return table


def _days(days: Mapping[str, Figures]) -> Table:
    table = _table("day", "shown", "accepted", "")
    table.columns[-1].justify = "left"
    most = max(figures.counts["shown"] for figures in days.values())
    for day, figures in days.items():
        shown, accepted = figures.counts["shown"], figures.counts["accepted"]
        table.add_row(day, str(shown), str(accepted), _bar(accepted, shown, most))
    return table


def _bar(accepted: int, shown: int, most: int) -> Text:
    """A bar of all that was shown, its beginning of what was accepted."""
    whole, part = (round(_BAR * count / max(most, 1)) for count in (shown, accepted))
    return Text.assemble(("█" * part, "green"), ("░" * max(whole - part, 0), "dim"))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _rounded(number: float | None, digits: int) -> str:
    return "-" if number is None else f"{number:.{digits}f}"
