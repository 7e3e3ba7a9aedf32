"""The schema says what the server itself takes and refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lsp_server.settings import read_settings
from lsp_server.settings_schema import properties

SCHEMA = properties()
CONFIGURE = Path(__file__).parents[2] / "editors" / "vscode" / "configure.py"


def problems(name: str, value: object) -> list[str]:
    _, section, field = name.split(".")
    return read_settings({section: {field: value}})[1]


@pytest.mark.parametrize("name", SCHEMA)
def test_defaults_are_right(name: str) -> None:
    assert problems(name, SCHEMA[name]["default"]) == []
    assert SCHEMA[name]["markdownDescription"]


@pytest.mark.parametrize("name", SCHEMA)
def test_server_refuses_what_the_schema_refuses(name: str) -> None:
    for wrong in _wrong(SCHEMA[name]):
        assert problems(name, wrong), f"{wrong!r} is taken"


@pytest.mark.parametrize("name", [name for name in SCHEMA if "maximum" in SCHEMA[name]])
def test_server_takes_the_bounds(name: str) -> None:
    for bound in (SCHEMA[name]["minimum"], SCHEMA[name]["maximum"]):
        assert problems(name, bound) == []


@pytest.mark.parametrize("name", [name for name in SCHEMA if "enum" in SCHEMA[name]])
def test_server_takes_every_choice(name: str) -> None:
    assert [problems(name, value) for value in SCHEMA[name]["enum"]] == [
        [] for _ in SCHEMA[name]["enum"]
    ]


def test_the_extension_has_these_settings() -> None:
    done = subprocess.run([sys.executable, CONFIGURE, "--check"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_a_changed_manifest_is_noticed(tmp_path: Path) -> None:
    copy = tmp_path / "configure.py"
    copy.write_text(CONFIGURE.read_text("utf-8"), "utf-8")
    manifest = json.loads(CONFIGURE.with_name("package.json").read_text("utf-8"))
    manifest["contributes"]["configuration"][1]["properties"]["caret.fim.model"]["default"] = "x"
    (tmp_path / "package.json").write_text(json.dumps(manifest), "utf-8")
    done = subprocess.run([sys.executable, copy, "--check"], capture_output=True, check=False)
    assert done.returncode == 1
    assert b"make format" in done.stderr


def _wrong(schema: dict[str, Any]) -> list[object]:
    """Values that an editor would underline."""
    wrong: list[object] = [{}]
    if schema["type"] != "string":
        wrong.append("text")
    if "enum" in schema:
        wrong.append("no such choice")
    if "maximum" in schema:
        wrong += [schema["minimum"] - 1, schema["maximum"] + 1]
    return wrong
