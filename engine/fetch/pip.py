"""pip as a download client: one wheel, with the user's own index, proxy and certificates."""

from __future__ import annotations

import errno
import io
import re
import sys
from typing import TYPE_CHECKING

from engine import spawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_PROGRESS = re.compile(r"Progress (\d+) of ([1-9]\d*)")


class PipFailed(Exception):
    """pip brought no wheel; the text is its own last word."""


def download(
    requirement: str, folder: Path, retries: int, report: Callable[[int, int], None]
) -> Path:
    """Fetch one wheel into the empty `folder`; `report` gets its bytes so far and in all.

    Raises:
        PipFailed: It is not to be had.
        OSError: It does not fit.
    """
    command = spawn.python("pip", "download", requirement, "--dest", str(folder))
    command += ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input"]
    command += ["--progress-bar=raw", "--disable-pip-version-check", f"--retries={retries}"]
    # The system's folder for temporary files may be small: use the disk of the models.
    temporary = dict.fromkeys(["TMPDIR", "TEMP", "TMP"], str(folder))
    with spawn.start(
        command, env=spawn.environment(temporary), stdout=spawn.PIPE, stderr=spawn.WITH_STDOUT
    ) as pip:
        try:
            assert pip.stdout is not None, "it is a pipe"
            with io.TextIOWrapper(pip.stdout, errors="replace") as lines:
                last_word = _listen(lines, report)
        except BaseException:
            pip.kill()
            raise
    wheels = list(folder.glob("*.whl"))
    if pip.returncode == 0 and len(wheels) == 1:
        return wheels[0]
    if "No space left" in last_word:
        raise OSError(errno.ENOSPC, last_word)
    raise PipFailed(last_word)


def _listen(lines: Iterable[str], report: Callable[[int, int], None]) -> str:
    """Pass progress on; return the last line that is neither progress nor a warning."""
    last_word, unreachable = f"pip ended without a word ({sys.executable})", ""
    for line in map(str.strip, lines):
        if progress := _PROGRESS.match(line):
            report(int(progress[1]), int(progress[2]))
        elif "connection broken by" in line:
            unreachable = " (the index cannot be reached)"
        elif line and not line.startswith(("WARNING", "DEPRECATION")):
            last_word = line
    return last_word + unreachable
