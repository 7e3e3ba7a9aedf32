"""Language ids: the same result by every editor's name of a language, and tables of known ids."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lsp_server
from lsp_server.blocks import opens_block
from lsp_server.brackets import wanted_closers
from lsp_server.commands.complete import Place, read_site
from lsp_server.context import Site, site_at
from lsp_server.documents import Document
from lsp_server.indentation import restyle
from lsp_server.instruct.syntax import complaints
from lsp_server.languages import IDS, language_id
from lsp_server.settings import Settings
from lsp_server.shape import shape_of
from lsp_server.workspace import walk
from lsp_server.workspace.grammars import grammar_of
from tests.desk import at_desk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SENT = {
    "shellscript": "sh bash zsh ksh sh-mode bash-ts-mode source.shell.bash|Shell Script",
    "csharp": "cs c-sharp csharp-ts csharp-mode source.cs C#",
    "cpp": "c++ C++ c++-mode c++-ts-mode source.c++",
    "c": "C c-ts-mode source.c",
    "makefile": "make makefile-gmake makefile-gmake-mode GNUmakefile source.makefile Makefile",
    "plaintext": "text text-mode text.plain Normal Plain\tText|plain text",
    "git-commit": "gitcommit git-commit-mode Git\tCommit|git commit",
    "restructuredtext": "rst rst-mode reStructuredText",
    "javascript": "js js-mode js-ts-mode js2 source.js JavaScript",
    "javascriptreact": "jsx javascript.jsx rjsx-mode source.js.react js-jsx|JavaScript React (JSX)",
    "typescript": "ts typescript-ts-mode source.ts TypeScript",
    "typescriptreact": "tsx typescript.tsx tsx-ts-mode source.tsx TSX|TypeScript React (TSX)",
    "python": "py python-ts python-mode source.python Python python.django",
    "ruby": "rb enh-ruby ruby-ts-mode source.ruby Ruby",
    "objective-c": "objc objcpp objective-cpp objc-mode source.objc Objective-C Objective-C++",
    "yaml": "yaml.ansible yaml.docker-compose dockercompose helm yaml-ts-mode YAML",
    "dockerfile": "docker dockerfile-ts-mode source.dockerfile Dockerfile",
    "markdown": "gfm-mode rmd quarto mdx markdown.mdx Markdown text.html.markdown",
    "html": "htmldjango html-mode mhtml-mode text.html.basic HTML",
    "go": "golang go-ts-mode source.go Go",
    "rust": "rs rustic-mode rust-ts-mode source.rust Rust",
    "r": "ess-r-mode R source.r|R Script",
    "latex": "tex plaintex LaTeX latex-mode LaTeX-mode text.tex.latex",
    "toml": "toml-ts-mode conf-toml-mode TOML source.toml",
    "fsharp": "fs F#",
    "powershell": "ps1 PowerShell source.powershell",
    "vue": "Vue.js vue-mode",
    "proto": "protobuf proto3 protobuf-mode",
}
"""Id to what editors send for it."""


def names(sent: str) -> Iterator[str]:
    first, *rest = sent.split("|")
    yield from first.split(" ")
    yield from rest


PAIRS = [(name, known) for known, sent in SENT.items() for name in names(sent)]


@pytest.mark.parametrize(("sent", "known"), PAIRS)
def test_every_editors_name_of_a_language_is_known(sent: str, known: str) -> None:
    assert language_id(sent) == known
    assert language_id(sent.upper(), "/w/other.py") == known


@pytest.mark.parametrize("known", sorted(IDS))
def test_an_id_stays_what_it_is(known: str) -> None:
    assert language_id(known, "/w/a.py", "#!/bin/sh") == known


@pytest.mark.parametrize(
    ("path", "line", "known"),
    [
        ("/w/a.PY", "", "python"),
        ("/w/Makefile", "", "makefile"),
        ("/w/Makefile.am", "", "makefile"),
        ("/w/Dockerfile.dev", "", "dockerfile"),
        ("/w/CMakeLists.txt", "", "cmake"),
        ("/w/a.d.ts", "", "typescript"),
        ("/w/.bashrc", "", "shellscript"),
        ("/w/COMMIT_EDITMSG", "", "git-commit"),
        ("/w/run", "#!/usr/bin/env -S LANG=C python3.12 -u\n", "python"),
        ("/w/run", "#! /bin/bash -e\r\n", "shellscript"),
        ("Untitled-1", "import os\n", ""),
        ("", "", ""),
    ],
)
def test_an_unknown_or_empty_id_falls_back_to_the_file(path: str, line: str, known: str) -> None:
    assert language_id("", path, line) == known
    assert language_id("never-heard-of", path, line) == (known or "never-heard-of")


def test_a_document_keeps_what_was_sent() -> None:
    document = Document.open("/w/a", "sh", "x")
    assert (document.language, document.sent_language) == ("shellscript", "sh")


def site(sent: str, text: str, path: str = "a") -> Site:
    """`text` with a | for the cursor, opened by a language's name."""
    before, _, after = text.partition("|")
    document = Document.open(path, sent, before + after)
    row = before.count("\n")
    column = len(before) - before.rfind("\n") - 1
    return site_at(document.lines, row, column, language=document.language)


@pytest.mark.parametrize(
    "sent", ["shellscript", "sh", "bash", "zsh", "Shell Script", "bash-ts-mode"]
)
def test_a_shell_script(sent: str) -> None:
    at = site(sent, "# it's (old\nfor f in *.txt; do\n    |\ndone\n")
    assert wanted_closers(at) == []
    assert shape_of(at, "auto").ends == "word"
    assert opens_block("for f in *.txt; do", at.language)


@pytest.mark.parametrize("sent", ["makefile", "make", "GNUmakefile", "makefile-gmake-mode", ""])
def test_a_recipe_of_a_makefile_gets_a_tab(sent: str) -> None:
    assert restyle("    cc -c a.c", site(sent, "all:\n|", "/w/Makefile")) == "\tcc -c a.c"


@pytest.mark.parametrize("sent", ["git-commit", "gitcommit", "text", "text.plain", "Plain Text"])
def test_prose_has_no_brackets(sent: str) -> None:
    assert wanted_closers(site(sent, "A :( day\n|")) == []


@pytest.mark.parametrize("sent", ["csharp", "cs", "c-sharp", "C#", "csharp-ts-mode"])
async def test_a_csharp_class_is_found_and_checked(sent: str, tmp_path: Path) -> None:
    (tmp_path / "Shop.cs").write_text("class Shop\n{\n    public int Price() { return 1; }\n}\n")
    async with at_desk(tmp_path) as desk:
        text = "class Till\n{\n    int Sum(Shop shop) { return shop.\n}\n"
        document = desk.open("Till.cs", text, sent)
        assert "Shop" in str(await desk.gather("Till.cs", 2, 36))
    assert complaints("class {", document.language)


def test_the_command_line_uses_the_same_table(tmp_path: Path) -> None:
    for name, known in [("run.zsh", "shellscript"), ("Makefile", "makefile"), ("a.cs", "csharp")]:
        (tmp_path / name).write_text("x\n")
        assert read_site(Place(tmp_path / name, 1, 1), Settings()).language == known


def test_the_index_and_the_editor_agree_about_files() -> None:
    for suffix, indexed in walk.LANGUAGES.items():
        opened = language_id("", f"a{suffix}")
        assert (grammar_of(opened) or opened) == (grammar_of(indexed) or indexed), suffix


def tables() -> Iterator[tuple[str, str, list[str]]]:
    """Yield module, name and strings of each module-level container that holds language ids."""
    for found in pkgutil.walk_packages(lsp_server.__path__, "lsp_server."):
        if found.name.endswith(("__main__", ".languages", ".process")):
            continue
        for name, value in vars(importlib.import_module(found.name)).items():
            if isinstance(value, dict | frozenset | set | tuple | list) and value:
                keys = [key for key in value if isinstance(key, str)]
                known = [key for key in keys if key in IDS]
                if len(known) > 1 and len(known) * 2 > len(keys):
                    yield found.name, name, keys


def test_every_table_is_keyed_by_known_ids() -> None:
    found = list(tables())
    assert len(found) >= 15
    strange = {
        (module, name): sorted(set(keys) - IDS - {""})
        for module, name, keys in found
        if set(keys) - IDS - {""}
    }
    assert strange == {}


def compared(tree: ast.AST) -> Iterable[str]:
    """Yield the strings that some code compares a language with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and ast.unparse(node.left).endswith("language"):
            for part in ast.walk(ast.Tuple(node.comparators, ast.Load())):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def test_code_compares_languages_with_known_ids() -> None:
    files = Path(lsp_server.__file__).parent.rglob("*.py")
    found = {text for file in files for text in compared(ast.parse(file.read_text()))}
    assert {"python", "shellscript", "rust"} <= found
    assert found - IDS == set()
