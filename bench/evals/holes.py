"""`caret eval holes`: lines and blocks cut out of real files, and what is suggested for them."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.evals.answers import Place, filler
from bench.evals.cuts import SEVEN, Cut, cuts, default_folder
from bench.evals.infill import MULTILINE, SERVER, THROUGH
from bench.evals.intervals import Measure, mean, ratio, resampled, share
from bench.evals.run import Evaluation, Plan, evaluation_options
from bench.evals.syntax import parses, surplus_closers
from engine.errors import CaretError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.evals.answers import Answer
    from bench.evals.record import Entry

_BRACKETS = re.compile(r"(.*[\w\])>]\()([^()]{3,})\)[^()]*$")


def judge(cut: Cut, answer: Answer) -> Entry:
    """What a suggestion is worth, and what harm it does."""
    text = answer.text.replace("\r\n", "\n")
    versions = whole, now = [cut.prefix + part + cut.suffix for part in (cut.truth, text)]
    closers = [surplus_closers(version, cut.language) for version in versions]
    return {
        "language": cut.language,
        "kind": cut.kind,
        "truth": cut.truth,
        "exact": text.rstrip() == cut.truth.rstrip(),
        "similarity": SequenceMatcher(None, text.strip(), cut.truth.strip(), False).ratio(),
        "parses": parses(now, cut.language) or not parses(whole, cut.language),
        "repeats": repeats(cut, text) and not repeats(cut, cut.truth),
        "closes": closers[1] > closers[0],
        "saved": saved(cut.truth, text),
    }


def repeats(cut: Cut, text: str) -> bool:
    """Whether the last line, once inserted, is the next line again."""
    head = cut.prefix.rpartition("\n")[2]
    below = [line.rstrip() for line in cut.suffix.split("\n")[1:] if line.strip()]
    written = [line.rstrip() for line in (head + text).split("\n") if line.strip()]
    return bool(text.strip() and below and written and written[-1] == below[0])


def saved(truth: str, text: str) -> int:
    """Characters that a user does not type who accepts only what is right, as far as it goes.

    >>> saved("return total", "return total"), saved("return total", "return tot")
    (12, 0)
    """
    text = text.rstrip()
    rest = truth[len(text) :]
    splits_word = text[-1:].isalnum() and (rest[:1].isalnum() or rest[:1] == "_")
    return len(text) if truth.startswith(text) and not splits_word else 0


def measures(entries: Sequence[Entry]) -> list[Measure]:
    """What is right, of all; then the harm, of what was suggested."""
    shown = [entry for entry in entries if entry["text"]]
    found = [
        share("exact match", [entry["exact"] for entry in entries]),
        mean("edit similarity", [entry["similarity"] for entry in entries]),
        resampled(
            "characters saved by an oracle user",
            [(entry["saved"], len(entry["truth"].rstrip())) for entry in entries],
            ratio,
        ),
        share("something suggested", [bool(entry["text"]) for entry in entries]),
        share("repeats the following line", [entry["repeats"] for entry in shown]),
        share("adds an unmatched closer", [entry["closes"] for entry in shown]),
        share("does not parse when accepted", [not entry["parses"] for entry in shown]),
    ]
    for part in ("kind", "language"):
        for name in dict.fromkeys(entry[part] for entry in entries):
            of_part = [entry["exact"] for entry in entries if entry[part] == name]
            found.append(share(f"exact match, {name}", of_part))
    return found


def typed(samples: Sequence[Cut]) -> list[Cut]:
    """What was cut out as it is before each of its keys; editors put in an indentation at once."""
    return [
        replace(
            cut, id=f"{cut.id}:{key}", prefix=cut.prefix + cut.truth[:key], truth=cut.truth[key:]
        )
        for cut in samples
        for key in range(len(cut.truth.rstrip()) - 1)
        if not cut.truth[key].isspace() or cut.truth[:key].rpartition("\n")[2].strip()
    ]


def closed(samples: Sequence[Cut]) -> list[Cut]:
    """The lines with a caret in their last brackets, as an editor closes them for who opens them.

    What follows them on the line is not there yet, so that the statement is seldom whole.

    Raises:
        CaretError: none of the lines has brackets.
    """
    found = [
        replace(cut, prefix=above + parts[1], truth=parts[2], suffix=f"){cut.suffix}")
        for cut in samples
        for above, line in [_split(cut)]
        if cut.kind == "line" and (parts := _BRACKETS.match(line))
    ]
    if not found:
        raise CaretError("None of the lines has brackets. Ask for more --files or --each.")
    return found


def _split(cut: Cut) -> tuple[str, str]:
    """What stands above the hole's line, and that line."""
    above, newline, head = cut.prefix.rpartition("\n")
    return above + newline, head + cut.truth


@click.command("holes")
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@evaluation_options(
    "holes",
    click.option("--language", "languages", multiple=True, help=f"Of {', '.join(SEVEN)}, ..."),
    click.option("--files", default=20, show_default=True, help="Files of each language."),
    click.option("--each", default=4, show_default=True, help="Holes in each file."),
    click.option("--seed", default=0, help="Choose others."),
    click.option("--keys", is_flag=True, help="Type them: a hole before each key."),
    click.option("--closed", "in_closed", is_flag=True, help="In brackets that an editor closed."),
    THROUGH,
    SERVER,
    MULTILINE,
)
def command(
    plan: Plan,
    *,
    folders: tuple[Path, ...],
    languages: tuple[str, ...],
    keys: bool,
    in_closed: bool,
    **asked: int | str,
) -> None:
    r"""Cut lines and blocks out of the real files in FOLDERS, and compare.

    \b
    exact match     of what was cut out, white space at the end not counted
    edit similarity twice the characters in matching parts by those of both texts (difflib)
    parses          by tree-sitter, with the suggestion in its place, unless it did not before

    Without FOLDERS the files are Python's standard library. For other languages unpack packages:
    `npm pack NAME`, `pip download --no-deps --no-binary :all: NAME`. Only files that parse are cut.
    """
    chosen = list(folders) or [default_folder()]
    samples = cuts(
        chosen,
        languages or SEVEN,
        files=int(asked["files"]),
        each=int(asked["each"]),
        seed=int(asked["seed"]),
    )
    named = {"folders": [folder.name for folder in chosen], "languages": list(languages)}
    plan = plan.with_(**asked, **named)
    if in_closed:
        plan, samples = plan.with_(closed=True), closed(samples)
    if keys:
        plan, samples = plan.with_(keys=True), typed(samples)
    asyncio.run(_carry_out(plan, samples))


async def _carry_out(plan: Plan, samples: list[Cut]) -> None:
    forgets = not plan.asked.get("keys", False)
    async with filler(plan.asked["through"], plan.settings, plan.server, forgets=forgets) as writer:
        await plan.carry_out(
            Evaluation(samples, lambda cut: writer.fill(_place(cut)), judge, measures)
        )


def _place(cut: Cut) -> Place:
    one_line = cut.kind == "line"
    return Place(cut.prefix, cut.suffix, cut.language, cut.path, one_line=one_line)
