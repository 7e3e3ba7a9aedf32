"""What may be read of a workspace, compared with git itself."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.exclusion import Exclusion
from lsp_server.settings import Settings
from lsp_server.workspace.faults import Faults
from lsp_server.workspace.ignore import caretignored, ignore_file, ignored, readable
from lsp_server.workspace.walk import walk

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = Settings().privacy.exclude
NAMES = st.sampled_from(["a", "b", "build", "x.py", "y.py"])
PATTERNS = st.builds(
    lambda bang, slash, body, end: f"{bang}{slash}{body}{end}",
    st.sampled_from(["", "", "", "!"]),
    st.sampled_from(["", "/", "**/"]),
    st.sampled_from(["a", "b", "build", "*.py", "x.*", "a/b", "a/*", "?.py", "[xy].py", "#x.py"]),
    st.sampled_from(["", "/", "/**", "  "]),
)
FILES = ["x.py", "y.py", "a/x.py", "a/b/y.py", "b/x.py", "b/build/x.py", "build/a/x.py"]


def found(root: Path, secrets: tuple[str, ...] = SECRETS) -> list[str]:
    exclusion = Exclusion(secrets, [root.as_posix()])
    entries = walk(root.as_posix(), exclusion, Faults(pytest.fail))
    return sorted(entry.path for entry in entries if entry)


def write(root: Path, **files: str) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), "-c", "core.excludesFile=", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def seen_by_git(root: Path) -> list[str]:
    listed = git(root, "ls-files", "-co", "--exclude-standard").split()
    return sorted(path for path in listed if path.endswith(".py"))


@settings(max_examples=60, deadline=None)
@given(
    top=st.lists(PATTERNS, max_size=4),
    deep=st.lists(PATTERNS, max_size=3),
    folder=st.sampled_from(["a", "b", "build"]),
)
def test_gitignore_is_read_as_git_reads_it(
    tmp_path_factory: pytest.TempPathFactory, top: list[str], deep: list[str], folder: str
) -> None:
    root = tmp_path_factory.mktemp("repo")
    write(root, **dict.fromkeys(FILES, "x = 1\n"))
    write(root, **{".gitignore": "\n".join(top), f"{folder}/.gitignore": "\n".join(deep)})
    git(root, "init", "-q")
    listed = seen_by_git(root)
    assert found(root) == listed
    if any(path.startswith(f"{folder}/") for path in listed):
        assert found(root / folder) == seen_by_git(root / folder)


@pytest.mark.parametrize("opened", ["pkg/app", "pkg", "."])
def test_a_repositorys_rules_count_in_a_folder_of_it(tmp_path: Path, opened: str) -> None:
    git(tmp_path, "init", "-q")
    rules = {".gitignore": "dist/\n/pkg/app/b.py", "pkg/.gitignore": "c.py\n!/app/d.py"}
    rules |= {".git/info/exclude": "d.py\ne.py", ".caretignore": "f.py"}
    write(tmp_path, **rules)
    files = ["a.py", "dist/a.py", *(f"{name}.py" for name in "bcdef")]
    write(tmp_path, **{f"pkg/app/{file}": "x = 1" for file in files})
    there = [(tmp_path / opened / path).resolve() for path in found(tmp_path / opened)]
    assert [path.relative_to(tmp_path).as_posix() for path in there] == [
        "pkg/app/a.py",
        "pkg/app/d.py",
    ]
    root = (tmp_path / "pkg" / "app").as_posix()
    assert [path for path in files if not ignored(root, path)] == ["a.py", "d.py"]
    assert [path for path in files if caretignored(root, path)] == ["f.py"]


def test_worktrees_and_submodules_share_their_repositorys_exclude(tmp_path: Path) -> None:
    write(
        tmp_path, **{"main/.git/info/exclude": "a.py", "main/.git/worktrees/w/commondir": "../.."}
    )
    write(tmp_path, **{"main/.git/modules/s/info/exclude": "b.py"})
    write(tmp_path, **{"w/.git": f"gitdir: {tmp_path}/main/.git/worktrees/w\n"})
    write(tmp_path, **{"main/s/.git": "gitdir: ../.git/modules/s\n"})
    for folder in ("w/deep", "main/s"):
        write(tmp_path, **{f"{folder}/a.py": "1", f"{folder}/b.py": "1"})
    assert found(tmp_path / "w" / "deep") == ["b.py"]
    assert found(tmp_path / "main" / "s") == ["a.py"]


def test_an_opened_folder_that_git_ignores_is_read_and_one_of_caretignore_is_not(
    tmp_path: Path,
) -> None:
    write(tmp_path, **{".git/HEAD": "", ".gitignore": "*", ".caretignore": "secret/"})
    write(tmp_path, **{"build/deep/a.py": "1", "secret/deep/a.py": "1"})
    assert found(tmp_path) == []
    assert found(tmp_path / "build" / "deep") == ["a.py"]
    assert found(tmp_path / "secret" / "deep") == []
    assert caretignored((tmp_path / "secret" / "deep").as_posix(), "a.py")


def test_caretignore_counts_like_gitignore_and_neither_undoes_the_other(tmp_path: Path) -> None:
    write(tmp_path, **{"a.py": "1", "b.py": "1", "c/d.py": "1", "c/e.py": "1"})
    write(tmp_path, **{".gitignore": "a.py", ".caretignore": "!a.py\nd.py", "c/.caretignore": ""})
    assert found(tmp_path) == ["b.py", "c/e.py"]
    root = tmp_path.as_posix()
    kept_out = [path for path in ("a.py", "c/d.py", "c/e.py") if caretignored(root, path)]
    assert kept_out == ["c/d.py"]


def test_a_folder_that_caretignore_names_keeps_all_its_files_out(tmp_path: Path) -> None:
    write(tmp_path, **{".caretignore": "secret/", "secret/deep/a.py": "1"})
    assert caretignored(tmp_path.as_posix(), "secret/deep/a.py")
    assert found(tmp_path) == []


def test_secrets_hidden_and_foreign_files_are_skipped(tmp_path: Path) -> None:
    names = ["key.pem.py", ".hidden.py", ".git/a.py", "node_modules/a.js", "venv/a.py", "ok.py"]
    write(tmp_path, **dict.fromkeys(names, "x = 1"))
    assert found(tmp_path, ("key.*",)) == ["ok.py"]


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, **{"outside/secret.py": "x = 1", "inside/a.py": "x = 1"})
    (tmp_path / "inside" / "folder").symlink_to(tmp_path / "outside")
    (tmp_path / "inside" / "file.py").symlink_to(tmp_path / "outside" / "secret.py")
    (tmp_path / "inside" / "loop").symlink_to(tmp_path / "inside")
    (tmp_path / "inside" / ".gitignore").symlink_to(tmp_path / "outside" / "secret.py")
    assert found(tmp_path / "inside") == ["a.py"]


@pytest.mark.parametrize(
    "data",
    [
        b"\0binary",
        b"\xff\xfe latin",
        b"# Code generated by protoc. DO NOT EDIT.\nx = 1\n",
        b"var a=1;" * 100,
        b"x = 1\n" * 100 + b"y" * 6_000,
    ],
    ids=["binary", "not UTF-8", "generated", "minified", "a line of data"],
)
def test_what_no_person_wrote_is_not_read(data: bytes) -> None:
    assert readable(data) is None


def test_code_is_read() -> None:
    assert readable(b"def f():\n    return 1\n") == "def f():\n    return 1\n"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("secret.py # mine", "a comment needs a line of its own"),
        ("*.{pem,key}", "braces stand for themselves"),
        ("~/private/", "it counts from the folder of this file"),
        ("C:\\private", "it counts from the folder of this file"),
        ("config\\deep.py", "`/` stands between folders"),
        ("{here}/private/", "`/` at its beginning is the folder of this file"),
    ],
)
def test_a_line_of_caretignore_that_git_takes_otherwise_is_told(
    tmp_path: Path, line: str, why: str
) -> None:
    file = tmp_path / ".caretignore"
    file.write_text(f"private/\n{line.replace('{here}', str(tmp_path))}\n!\\#a \\ \n")
    read = ignore_file(file)
    assert read
    [problem] = read.problems
    assert problem.startswith(f"line 2 may not match what it is meant to: {why}")


@pytest.mark.parametrize("kind", ["a folder", "a dangling link", "large"])
def test_a_caretignore_that_cannot_be_read_keeps_its_folder_private(
    tmp_path: Path, kind: str
) -> None:
    file = tmp_path / ".caretignore"
    if kind == "a folder":
        file.mkdir()
    elif kind == "large":
        with file.open("wb") as sparse:
            sparse.truncate(1 << 30)
    else:
        file.symlink_to(tmp_path / "gone")
    read = ignore_file(file)
    assert read
    assert read.problems
    assert read.patterns.last_match("a.py", folder=False)


def test_an_ignore_file_is_parsed_again_when_it_changed(tmp_path: Path) -> None:
    file = tmp_path / ".gitignore"
    file.write_text("a.py\n")
    first = ignore_file(file)
    assert first
    assert ignore_file(file) is first
    file.write_text("other.py\n")
    again = ignore_file(file)
    assert again
    assert again.patterns.last_match("other.py", folder=False)
