"""The house keeps its own rules: who loads torch, how long files are, where the docs point."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from engine.models import DEFAULT_FIM
from lsp_server.cli import COMMANDS, caret

ROOT = Path(__file__).parent.parent
PACKAGES = ("lsp_server", "engine", "quant", "bench", "tests")
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
MAX_LINES = 300


def sources() -> list[Path]:
    files = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*")))
    return [path for path in files if path.suffix in (".py", ".c", ".h")]


@pytest.mark.parametrize(
    "module",
    [
        "lsp_server.cli",
        "lsp_server.handlers",
        "lsp_server.commands.lsp",
        "engine.client",
        "engine.launch",
        "engine.models",
        "engine.fetch",
        "engine.fim",
    ],
)
def test_import_loads_no_model_library(module: str) -> None:
    program = (
        f"import sys, {module}; "
        "print(*{'torch', 'transformers', 'bitsandbytes', 'numpy'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_a_module_with_help(name: str) -> None:
    command = caret.get_command(click.Context(caret), name)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help


def test_files_are_short() -> None:
    lengths = {path: path.read_text("utf-8").count("\n") for path in sources()}
    assert [str(path) for path, lines in lengths.items() if lines > MAX_LINES] == []


def test_test_folders_are_no_packages_and_names_are_unique() -> None:
    tests = list((ROOT / "tests").rglob("*.py"))
    assert [path for path in tests if path.name == "__init__.py"] == []
    names = [path.name for path in tests if path.name != "conftest.py"]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: str(doc.relative_to(ROOT)))
def test_links_lead_somewhere(doc: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(doc)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        linked = (doc.parent / name) if name else doc
        assert linked.exists(), target
        if anchor:
            assert anchor in _anchors(linked), target


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: str(doc.relative_to(ROOT)))
def test_make_targets_named_in_the_docs_exist(doc: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", doc.read_text("utf-8"), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: str(doc.relative_to(ROOT)))
def test_caret_commands_named_in_the_docs_exist(doc: Path) -> None:
    named = set(re.findall(r"(?:^|`)caret ([a-z]+)", doc.read_text("utf-8"), re.MULTILINE))
    assert named <= COMMANDS.keys()


def test_each_promise_of_the_security_page_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    promises = [line for line in page.splitlines() if re.match(r"\|.*\|.*\|.*`", line)]
    named = [re.findall(r"`([\w.]+\.(?:py|ts|mjs))`", line.split("|")[3]) for line in promises]
    sources = ROOT / "editors" / "vscode" / "test"
    files = {path.name for folder in (ROOT / "tests", sources) for path in folder.rglob("*.*")}
    assert len(promises) > 15
    assert all(named)
    assert {name for names in named for name in names} <= files


def test_make_demo_pulls_the_default_model() -> None:
    assert f"MODEL ?= {DEFAULT_FIM}\n" in (ROOT / "Makefile").read_text("utf-8")


def test_readme_opens_with_the_two_commands() -> None:
    first_block = (ROOT / "README.md").read_text("utf-8").split("```")[1]
    assert [line.split("#")[0].strip() for line in first_block.splitlines()[1:]] == [
        "make demo",
        "make test",
    ]


def _prose(doc: Path) -> str:
    """Without code, in which brackets mean something else."""
    text = re.sub(r"^```.*?^```", "", doc.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def _anchors(doc: Path) -> set[str]:
    """The ids that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", doc.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
