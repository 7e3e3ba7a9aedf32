"""`caret complete` as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from engine.errors import RequestError
from lsp_server.commands.complete import Place, in_place, parse_place, read_site
from lsp_server.context import Site
from lsp_server.settings import Settings
from tests.command import caret

if TYPE_CHECKING:
    import subprocess

    from tests.lsp_server.conftest import ModelServer


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_bytes("größe = 1\r\nif größe:\r\n".encode())
    return path


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return caret("complete", *arguments, environment=environment)


def test_the_completion_alone(environment: dict[str, str], model: ModelServer, file: Path) -> None:
    model.answer = lambda _: ["\n    print(größe)", "\n\nprint"]
    done = run(environment, f"{file}:2:10", "--endpoint", model.url, "--model", "m")
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n    print(größe)\n", "")
    (request,) = model.requests
    assert (request["model"], request["prompt"]) == ("m", "größe = 1\nif größe:")


def test_json(environment: dict[str, str], model: ModelServer, file: Path) -> None:
    done = run(environment, f"{file}:1:9", "--endpoint", model.url, "--json")
    told = json.loads(done.stdout)
    assert told["completion"] == "ab"
    assert told["usage"]["completion_tokens"] == 2


def test_nothing_to_say(environment: dict[str, str], model: ModelServer, file: Path) -> None:
    model.answer = lambda _: [" "]
    done = run(environment, f"{file}:3:1", "--endpoint", model.url)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "caret: nothing to complete here\n"


def test_wrong_usage(environment: dict[str, str]) -> None:
    done = run(environment, "a.py:1")
    assert done.returncode == 2
    assert "'a.py:1' is not FILE:LINE:COL" in done.stderr


@pytest.mark.parametrize("place", ["a.py", "a.py:0:1", "a.py:1:0", "a.py:-1:1", ":1:1", ""])
def test_places_that_are_none(place: str) -> None:
    with pytest.raises(click.BadParameter):
        parse_place(place)


def test_places() -> None:
    assert parse_place("C:/a b.py:12:05") == Place(Path("C:/a b.py"), 12, 5)


def test_one_line_says_what_is_wrong(environment: dict[str, str], tmp_path: Path) -> None:
    done = run(environment, f"{tmp_path}/none.py:1:1")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "none.py cannot be read: No such file" in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "line", "column", "message"),
    [
        ("elf", b"\x7fELF\xff\xfe", 1, 1, "is not text in UTF-8"),
        ("nul.py", b"a\0b", 1, 1, "the file is binary"),
        ("big.py", b"x" * 20_000_000, 1, 1, "is too large"),
        ("long.py", b"x" * 6_000_000, 1, 1, "more than 5 million characters"),
        ("a.py", b"x\ny", 3, 1, "has no line 3, it ends at 2"),
        ("a.py", b"x\ny", 1, 3, "has no column 3, it ends at 2"),
        (".env", b"KEY=", 1, 5, "caret.privacy.exclude"),
    ],
)
def test_files_and_places_that_cannot_be(
    tmp_path: Path, name: str, content: bytes, line: int, column: int, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError, match=message):
        read_site(Place(tmp_path / name, line, column), Settings())


def test_the_end_of_a_file_is_a_place(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text("x\n")
    site = read_site(Place(tmp_path / "a.sh", 2, 1), Settings())
    assert site == Site("x\n", "", "shellscript", "a.sh")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "codellama-13b-python"], "cannot fill in the middle"),
        (["--endpoint", "http://127.0.0.1:1"], "cannot be reached"),
    ],
)
def test_models_and_servers_that_cannot(
    environment: dict[str, str], file: Path, arguments: list[str], message: str
) -> None:
    done = run(environment, f"{file}:1:1", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr


def test_shown_in_its_place() -> None:
    site = Site("".join(f"{n}\n" for n in range(9)) + "x = ", ";\nend\n")
    shown = in_place(site, "f()")
    assert shown.plain == "4\n5\n6\n7\n8\nx = f();\nend\n"
    assert "bold green" in {str(span.style) for span in shown.spans}
