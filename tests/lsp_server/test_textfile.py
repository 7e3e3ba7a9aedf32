"""Files on disk: what is read of them, and that a change leaves all other bytes as they are."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import RequestError
from lsp_server.instruct.change import Change
from lsp_server.patch import diff
from lsp_server.textfile import read_text, texts_of, write_change

if TYPE_CHECKING:
    from pathlib import Path

BODIES, ENDS = st.sampled_from(["a", "b", "", "é"]), st.sampled_from(["\n", "\r\n", "\r"])
LINES = st.lists(st.tuples(BODIES, ENDS))


def written(file: Path, old: bytes, before: str, after: str) -> bytes:
    file.write_bytes(old)
    write_change(Change(file.name, before, after), file.parent)
    return file.read_bytes()


@pytest.mark.parametrize(
    ("old", "after", "expected"),
    [
        (b"a\r\nb\nc\rd", "a\nB\nc\nd", b"a\r\nB\nc\rd"),
        (b"a\r\nb\nc\r\n", "a\nb\nC\nD\n", b"a\r\nb\nC\r\nD\r\n"),
        (b"a\nb\r\n", "a\nX\nY\n", b"a\nX\r\nY\r\n"),
        (b"\xef\xbb\xbfa\r\nb", "A\nb\nc", b"\xef\xbb\xbfA\r\nb\r\nc"),
        (b"a\rb\r", "a\nB\n", b"a\rB\r"),
        (b"a\x0cb\xe2\x80\xa8\nc", "a\x0cb\u2028\nC", b"a\x0cb\xe2\x80\xa8\nC"),
        (b"a\n", "a", b"a"),
        (b"a\r\nb", "a\nb\n", b"a\r\nb\r\n"),
        (b"", "x\n", b"x\n"),
        (b"a\nb\n", "", b""),
    ],
)
def test_bytes_outside_of_the_change_stay(
    old: bytes, after: str, expected: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(old)
    before = read_text(file).replace("\r\n", "\n").replace("\r", "\n")
    assert written(file, old, before, after) == expected


@given(LINES, st.lists(st.sampled_from(["a", "x", ""]), min_size=1))
def test_the_text_is_the_one_after_the_change(
    tmp_path_factory: pytest.TempPathFactory, old: list[tuple[str, str]], new: list[str]
) -> None:
    file = tmp_path_factory.getbasetemp() / "property.py"
    data = "".join(line + end for line, end in old).encode()
    file.write_bytes(data)
    before = read_text(file).replace("\r\n", "\n").replace("\r", "\n")
    now = written(file, data, before, "\n".join(new))
    assert now.decode().replace("\r\n", "\n").replace("\r", "\n") == "\n".join(new)
    assert written(file, data, before, before) == data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("x = 1\n".encode("utf-16"), "is not text in UTF-8 but in UTF-16. Convert it"),
        ("é".encode("latin-1"), "is not text in UTF-8. Convert it"),
        (b"\xed\xa0\x80", "is not text in UTF-8"),
        (b"x" * 16_000_001, "is too large"),
    ],
)
def test_a_file_that_is_no_utf8_is_refused_in_words(
    data: bytes, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(data)
    with pytest.raises(RequestError, match=message):
        read_text(file)
    with pytest.raises(RequestError, match=message):
        write_change(Change("a.py", "x", "y"), tmp_path)
    assert file.read_bytes() == data


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.py")
    with pytest.raises(RequestError, match="not a regular file"):
        read_text(tmp_path / "a.py")


def test_a_file_that_changed_meanwhile_stays(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("other\n")
    for before in ("x\n", None):
        with pytest.raises(RequestError, match="changed meanwhile"):
            write_change(Change("a.py", before, "y\n"), tmp_path)
    file.unlink()
    with pytest.raises(RequestError, match="changed meanwhile"):
        write_change(Change("a.py", "x\n", "y\n"), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("x\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(RequestError, match="cannot be written"):
            write_change(Change("a.py", "x\n", "y" * 99), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ["a.py"]
    assert file.read_text() == "x\n"


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    file = tmp_path / "real.sh"
    file.write_text("x\n")
    file.chmod(0o751)
    (tmp_path / "link.sh").symlink_to("real.sh")
    write_change(Change("link.sh", "x\n", "y\n"), tmp_path)
    assert (tmp_path / "link.sh").is_symlink()
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("y\n", 0o751)


def test_a_new_file_is_made_with_its_folders(tmp_path: Path) -> None:
    write_change(Change("tests/test_a.py", None, "x\n"), tmp_path)
    made = tmp_path / "tests" / "test_a.py"
    (tmp_path / "usual").touch()
    assert made.read_text() == "x\n"
    assert made.stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("dangling", [False, True])
def test_no_link_leads_a_change_out_of_the_folder(tmp_path: Path, dangling: bool) -> None:
    root, outside = tmp_path / "project", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    if dangling:
        (root / "tests").mkdir()
        (root / "tests" / "test_a.py").symlink_to(outside / "test_a.py")
    else:
        (root / "tests").symlink_to(outside)
    with pytest.raises(RequestError, match="leads out of"):
        write_change(Change("tests/test_a.py", None, "x\n"), root)
    assert not list(outside.iterdir())


def test_a_diff_shows_where_a_file_ends_without_a_line_end() -> None:
    shown = diff("a.py", "x\x0cy\nb", "x\x0cy\nc\n")
    assert shown.endswith("-b\n\\ No newline at end of file\n+c\n")
    assert " x\x0cy\n" in shown


@pytest.mark.parametrize(
    "data",
    [
        b"a\r\nb\r\nc\r\n",
        b"a\nb\r\nc\n",
        b"\xef\xbb\xbfa\r\nb\r\nc",
        b"a\r\nb\r\n\xf0\x9f\x98\x80\t\r\nc\x0c\xe2\x80\xa8d\r\n",
    ],
)
def test_git_applies_a_diff_whatever_the_line_ends(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(data)
    before = read_text(file).replace("\r\n", "\n")
    change = Change("a.py", before, before.replace("b\n", "x\ny\n"))
    shown = diff(change.path, *texts_of(change, tmp_path))
    write_change(change, tmp_path)
    written = file.read_bytes()
    file.write_bytes(data)
    git = ["git", "-c", "core.autocrlf=false", "apply", "-"]
    subprocess.run(git, cwd=tmp_path, input=shown.encode(), check=True)
    assert file.read_bytes() == written != data
