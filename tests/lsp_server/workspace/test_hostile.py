"""The real index process over files, folders and messages that are wrong in every way."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engine import spawn
from lsp_server.exclusion import Exclusion
from lsp_server.workspace import store
from lsp_server.workspace.definitions import definitions
from lsp_server.workspace.faults import Faults
from lsp_server.workspace.index import Index
from lsp_server.workspace.walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsp_server.workspace.definitions import Definition

DEPTH = 1_200
MARK = "\N{REPLACEMENT CHARACTER}"
PATIENCE_S = 60.0
ASKED = {
    "language": "python",
    "path": "main.py",
    "names": {"reached": 1.0},
    "imports": [],
    "awaited": [],
    "taken": [],
    "words": [],
}


class Process:
    """The process, and what it has written."""

    def __init__(self, log: Path) -> None:
        with log.open("wb") as stderr:
            self._process = spawn.start(
                spawn.python("lsp_server.workspace.process"),
                stdin=spawn.PIPE,
                stdout=spawn.PIPE,
                stderr=stderr,
            )
        self._log = log

    def send(self, line: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def tell(self, **message: object) -> None:
        self.send(json.dumps(message).encode())

    def until(self, key: str) -> dict[str, Any]:
        assert self._process.stdout
        for line in self._process.stdout:
            message: dict[str, Any] = json.loads(line)
            if key in message:
                return message
        pytest.fail(f"the process ended: {self.log()}")

    def ask(self, root: str, name: str) -> set[str]:
        """The paths of files that define a name."""
        self.tell(ask={**ASKED, "names": {name: 1.0}}, root=root, id=name)
        paths: set[str] = set()
        while "found" in (message := self.until("id")):
            paths |= {item["path"] for item in message["found"] if item["kind"] == "definition"}
        return paths

    def log(self) -> str:
        return self._log.read_text()

    def end(self) -> int:
        assert self._process.stdin
        self._process.stdin.close()
        return self._process.wait(PATIENCE_S)

    def kill(self) -> None:
        with self._process:
            self._process.kill()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path / "stderr")
    yield process
    process.kill()


def fill(root: Path) -> None:
    """Put everything into a folder that an indexer may stumble over."""
    top = os.fsencode(root)
    for name in (b"caf\xe9.py", b"new\nline.py", b"tab\t\x1b.py", b"x" * 252 + b".py"):
        write(top + b"/" + name, "def odd(): pass\n")
    Path(os.fsdecode(top + b"/fold\xe9r\n")).mkdir()
    write(top + b"/fold\xe9r\n/inside.py", "def reached(): pass\n")
    os.mkfifo(root / "pipe.py")
    os.mkfifo(root / ".gitignore")
    with socket.socket(socket.AF_UNIX) as bound:
        here = os.open(root, os.O_RDONLY)
        bound.bind(f"/proc/self/fd/{here}/socket.py")
        os.close(here)
    (root / "loop").symlink_to(root)
    (root / "round.py").symlink_to(root / "round.py")
    (root / "out.py").symlink_to("/etc/passwd")
    (root / "device.py").symlink_to("/dev/zero")
    with (root / "sparse.py").open("wb") as sparse:
        sparse.truncate(10 << 30)
    write(os.fsencode(root / "brackets.py"), "x = " + "[" * 20_000)
    write(os.fsencode(root / "nested.js"), "a(" * 20_000)
    write(os.fsencode(root / "nul.py"), "a\0b")
    write(os.fsencode(root / "line.py"), "x = 1;" * 30_000)
    write(os.fsencode(root / "zip.py"), "from a import b\n" + "if x:\n" * 5_000)
    (root / "rules").mkdir()
    odd = [b"!", b"foo\\", b"\\", b"[z-a].py", b"[a-\\]]", b"a" * 100_000, b"\xff\xfe", b"x\0y"]
    (root / "rules" / ".gitignore").write_bytes(b"\r\n".join([*odd, b"hidden.py", b""]))
    (root / "rules" / ".caretignore").write_bytes("private.py\r\n[\r\n".encode("utf-16"))
    for stem in ("hidden", "private", "shown"):
        write(os.fsencode(root / "rules" / f"{stem}.py"), "def reached(): pass\n")


def write(path: bytes, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - a path in bytes
        file.write(text)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Path]:
    """A folder with everything in it; pytest cannot delete so deep a tree."""
    root = tmp_path / "w"
    root.mkdir()
    fill(root)
    dig(root)
    yield root
    while (root / "d" / "d").exists():
        (root / "d" / "d").rename(root / "e")
        (root / "d").rmdir()
        (root / "e").rename(root / "d")


def dig(root: Path) -> None:
    """Make a folder in a folder in a folder."""
    at = os.open(root, os.O_RDONLY)
    for _ in range(DEPTH):
        os.mkdir("d", dir_fd=at)
        at, above = os.open("d", os.O_RDONLY, dir_fd=at), at
        os.close(above)
    file = os.open("deep.py", os.O_WRONLY | os.O_CREAT, dir_fd=at)
    os.write(file, b"def reached(): pass\n")
    os.close(file)
    os.close(at)


def test_nothing_in_a_folder_ends_the_index(filled: Path, process: Process) -> None:
    at = filled.as_posix()
    process.tell(roots=[at, at + "/gone", at + "/nul.py", "/\0", at], exclude=["[", "!"])
    problem = process.until("problem")["problem"]
    assert problem.endswith("/.caretignore: line 2 can never match: a `[` in it is not closed.")
    assert process.until("files")["left_out"] >= 1
    deep = "d/" * DEPTH + "deep.py"
    assert process.ask(at, "reached") == {f"fold{MARK}r{MARK}/inside.py", deep, "rules/shown.py"}
    long = "x" * 252 + ".py"
    odd = {f"caf{MARK}.py", f"new{MARK}line.py", f"tab{MARK}{MARK}.py", long}
    assert process.ask(at, "odd") == odd
    assert process.end() == 0


@pytest.mark.parametrize("text", ["a.py", "def f(:\n" * 100], ids=["name", "wrong"])
def test_every_query_is_answered_whatever_was_sent(
    tmp_path: Path, process: Process, text: str
) -> None:
    process.send(b"\xff\xfe{")
    process.send(b"[" * 100_000)
    process.send(b"[]")
    process.tell(roots=[tmp_path.as_posix()], exclude=[])
    process.until("files")
    process.tell(ask={"nonsense": text}, root="/w", id=1)
    assert process.until("id") == {"id": 1}
    process.tell(members=3, root=None, id=2)
    assert process.until("id") == {"id": 2}
    process.tell(open="a.py", root=tmp_path.as_posix(), text={"no": text})
    process.tell(id=3)
    assert process.until("id") == {"id": 3}
    assert "TypeError" in process.log()
    assert process.end() == 0


def test_it_ends_with_its_server_while_it_indexes(tmp_path: Path, process: Process) -> None:
    for number in range(2_000):
        (tmp_path / f"m{number}.py").write_text(f"def f{number}(): pass\n" * 50)
    process.tell(roots=[tmp_path.as_posix()], exclude=[])
    process.until("done")
    assert process.end() == 0


def test_what_vanishes_between_two_looks_is_left_out(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.py").write_text("x = 1\n")
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "f.py").write_text("x = 1\n")
    faults = Faults(pytest.fail)
    entries = walk(tmp_path.as_posix(), Exclusion(()), faults)
    first = next(entries)
    assert first
    (tmp_path / "b.py").unlink()
    shutil.rmtree(tmp_path / "e")
    found = [entry.path for entry in entries if entry]
    assert (first.path, found) == ("a.py", ["c.py", "d.py"])
    assert faults.count == 2  # the file and the folder
    (tmp_path / "a.py").unlink()
    assert first.read() is None


def test_what_became_something_else_since_is_not_read(tmp_path: Path) -> None:
    root, away = tmp_path / "w", tmp_path / "away"
    for name in "abc":
        (root / name).mkdir(parents=True)
        (root / name / "a.py").write_text("x = 1\n")
    away.mkdir()
    (away / "a.py").write_text("secret = 1\n")
    link, pipe, grown = (e for e in walk(root.as_posix(), Exclusion(()), Faults(pytest.fail)) if e)
    shutil.rmtree(root / "a")
    (root / "a").symlink_to(away)
    (root / "b" / "a.py").unlink()
    os.mkfifo(root / "b" / "a.py")
    (root / "c" / "a.py").write_text("x = 1\n" * 100_000)
    assert [entry.read() for entry in (link, pipe, grown)] == [None] * 3


def test_a_fault_is_logged_once_until_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    faults = Faults(pytest.fail)
    for _ in range(3):
        faults.begin()
        faults.left_out("/w/a.py", PermissionError("no"))
    assert (len(caplog.records), faults.count) == (1, 1)
    faults.begin()
    assert faults.count == 0
    faults.left_out("/w/a.py", OSError("other"))
    assert len(caplog.records) == 2


def test_a_file_that_breaks_its_reader_is_left_out_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No grammar fails at any text that we know, so one is made to."""
    for name in "abc":
        (tmp_path / f"{name}.py").write_text(f"def {name}(): pass\n")
    tried: list[str] = []

    def broken(text: str, language: str) -> list[Definition]:
        tried.append(text)
        if "def b" in text:
            raise RecursionError
        return definitions(text, language)

    monkeypatch.setattr(store, "definitions", broken)
    index = Index((tmp_path.as_posix(),), (), lambda *_: None)
    for _ in range(2):
        list(index.update())
    assert (index.files, index.faults.count, len(tried)) == (3, 1, 3)
    (tmp_path / "b.py").write_text("def other(): pass\n")
    list(index.update())
    assert (index.faults.count, len(tried)) == (0, 4)
