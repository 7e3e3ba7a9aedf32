"""Plugins that others have beside ours in Neovim: `python -m tests.editors.plugins` fetches them.

No package index has them, so neither has CI; `make test-plugins` is for a machine that reaches
GitHub. Each is the commit that docs/editors.md names.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.editors.fetch import CACHE

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Repository:
    """A plugin as its authors publish it."""

    name: str
    commit: str

    @property
    def path(self) -> Path:
        """Its folder, which is there once all of it is."""
        return CACHE / "plugins" / self.name.split("/")[1]


BLINK = Repository("Saghen/blink.cmp", "73ea297bc665c936b51797d5a55599536ffee0d8")
CMP = Repository("hrsh7th/nvim-cmp", "a1d504892f2bc56c2e79b65c6faded2fd21f3eca")
CMP_BUFFER = Repository("hrsh7th/cmp-buffer", "b74fab3656eea9de20a9b8116afa3cfc4ec09657")
LAZY = Repository("folke/lazy.nvim", "306a05526ada86a7b30af95c5cc81ffba93fef97")
ALL = (BLINK, CMP, CMP_BUFFER, LAZY)


def fetch(repository: Repository) -> None:
    """Have the files of its commit, unless they are there."""
    if repository.path.exists():
        return
    part = repository.path.with_name(f"{repository.path.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    address = f"https://github.com/{repository.name}"
    for command in (
        ["init", "-q"],
        ["fetch", "-q", "--depth", "1", address, repository.commit],
        ["checkout", "-q", "FETCH_HEAD"],
    ):
        subprocess.run(["git", *command], cwd=part, check=True)
    part.rename(repository.path)


if __name__ == "__main__":
    for repository in ALL:
        fetch(repository)
