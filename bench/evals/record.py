"""One JSON line for each sample, written as it is judged: an evaluation that was ended goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.errors import CaretError

if TYPE_CHECKING:
    from pathlib import Path

Entry = dict[str, Any]
"""A line of a record: `id`, the answer's fields and the verdict's."""


class Record:
    """The lines of one evaluation; the first says of which."""

    def __init__(self, path: Path, asked: Entry) -> None:
        """Take up the record at `path`, or begin it.

        Args:
            path: where it is, or will be.
            asked: all options that an answer depends on.

        Raises:
            CaretError: the file is another evaluation's, or cannot be written.
        """
        self.path = path
        self.entries: dict[str, Entry] = {}
        try:
            self._take_up(asked)
        except OSError as error:
            raise CaretError(f"{path} cannot be written: {error.strerror}.") from None

    def add(self, entry: Entry) -> None:
        """One more sample is done."""
        self.entries[entry["id"]] = entry
        self._write(entry)

    def _take_up(self, asked: Entry) -> None:
        lines = self.path.read_text("utf-8").split("\n") if self.path.exists() else []
        *whole, _half = lines or [""]
        if not whole:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps({"asked": asked}) + "\n", "utf-8")
            return
        self._check(whole[0], asked)
        # A line that was being written when the evaluation was ended has no end.
        self.path.write_text("".join(f"{line}\n" for line in whole), "utf-8")
        for line in whole[1:]:
            entry = json.loads(line)
            self.entries[entry["id"]] = entry

    def _check(self, line: str, asked: Entry) -> None:
        try:
            before = json.loads(line)["asked"]
        except (ValueError, LookupError, TypeError):
            raise CaretError(
                f"{self.path} is no record of an evaluation; nothing is done."
            ) from None
        different = {key for key in before | asked if before.get(key) != asked.get(key)}
        if different:
            raise CaretError(
                f"{self.path} records an evaluation with another {', '.join(sorted(different))}. "
                "Name another file with --record, or remove this one."
            )

    def _write(self, entry: Entry) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
