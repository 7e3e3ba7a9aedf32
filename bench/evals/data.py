"""Published evaluations as files of JSON lines, which a person fetches: none is part of Caret."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

from engine.errors import CaretError

if TYPE_CHECKING:
    from pathlib import Path

    import click

WHERE = """\
\b
Files, as they are or unpacked, all in one folder (--data):
  HumanEval.jsonl.gz                            github.com/openai/human-eval, data/
  HumanEval-SingleLineInfilling.jsonl.gz        github.com/openai/human-eval-infilling, data/
  HumanEval-MultiLineInfilling.jsonl.gz         the same
  HumanEval-RandomSpanInfillingLight.jsonl.gz   the same
  mbpp.jsonl                                    github.com/google-research/google-research,
                                                mbpp/
  humanevalpack-python.jsonl                    huggingface.co/datasets/bigcode/humanevalpack,
                                                data/python/data/humanevalpack.jsonl, renamed
"""
"""For the help of a command."""


def read(folder: Path, name: str) -> list[dict[str, Any]]:
    """The rows of `name`.jsonl or `name`.jsonl.gz.

    Raises:
        CaretError: it is not there, or something else.
    """
    for file in (folder / f"{name}.jsonl.gz", folder / f"{name}.jsonl"):
        if file.exists():
            return _rows(file)
    raise CaretError(
        f"There is no {name}.jsonl or {name}.jsonl.gz in {folder}. "
        "`caret eval infill-single --help` says where a person gets it."
    )


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        packed = file.read_bytes()
        text = (gzip.decompress(packed) if file.suffix == ".gz" else packed).decode()
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (OSError, EOFError, ValueError) as error:
        raise CaretError(f"{file} cannot be read as JSON lines: {error}. Fetch it again.") from None


def with_places(command: click.Command) -> click.Command:
    """The command, with where its data is had in its help."""
    command.help = f"{command.help}\n\n{WHERE}"
    return command
