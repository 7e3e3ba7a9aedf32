"""The index: what is found for a caret, kept in step with the disk and with open documents."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import pytest

from lsp_server.context import Site
from lsp_server.workspace import index as index_module
from lsp_server.workspace.chunks import LINES, SHOWN, chunks
from lsp_server.workspace.index import Index
from lsp_server.workspace.store import AMBIGUOUS, Store
from lsp_server.workspace.wanted import wanted

if TYPE_CHECKING:
    from pathlib import Path

    from lsp_server.workspace.found import Found

MODULE = "def frobnicate(widget):\n    return widget\n"


def search(store: Store, root: object, code: str, path: str = "main.py") -> list[Found]:
    site = Site(code, "", "python", path)
    return list(chain.from_iterable(store.find(str(root), wanted(site, code.splitlines()))))


def texts(found: list[Found], kind: str = "definition") -> list[str]:
    return [item.text for item in found if item.kind == kind]


@pytest.fixture
def store() -> Store:
    return Store()


def test_a_named_function_is_found(store: Store) -> None:
    store.put("/w", "lib/gadgets.py", "python", MODULE)
    found, piece = search(store, "/w", "x = frobnicate(")
    assert (found.path, found.line, found.text) == ("lib/gadgets.py", 0, MODULE.rstrip())
    assert (piece.path, piece.kind) == ("lib/gadgets.py", "piece")
    assert search(store, "/other", "x = frobnicate(") == []


def test_what_is_imported_comes_first(store: Store) -> None:
    for name in ("a", "b", "c"):
        store.put("/w", f"lib/{name}.py", "python", f"def frobnicate({name}): ...")
    found = search(store, "/w", "from lib.b import frobnicate\n\nfrobnicate(")
    assert texts(found)[0] == "def frobnicate(b): ..."


def test_what_is_imported_and_not_used_yet_comes_before_what_is_used(store: Store) -> None:
    store.put("/w", "lib/a.py", "python", "def used(): ...\ndef fresh(): ...\n")
    code = "from lib.a import used, fresh\n\nused()\n"
    assert texts(search(store, "/w", code)) == ["def fresh(): ...", "def used(): ..."]


def test_what_would_have_to_be_imported_first_comes_last(store: Store) -> None:
    store.put("/w", "lib/a.py", "python", "def near(): ...\n")
    store.put("/w", "lib/b.py", "python", "def other(): ...\n")
    assert texts(search(store, "/w", "import lib.b\n\nother(near(near(")) == [
        "def other(): ...",
        "def near(): ...",
    ]


def test_members_of_types_that_the_file_names_come_first(store: Store) -> None:
    for name in ("Known", "Other"):
        text = f"class {name} {{\n  public:\n  int size() {{ return 1; }}\n}};\n"
        store.put("/w", f"{name.lower()}.h", "cpp", text)
    site = Site("int f(Known known) {\n  return size", "", "cpp", "main.cpp")
    found = [item for item in next(store.find("/w", wanted(site, []))) if "class" not in item.text]
    assert [item.path for item in found] == ["known.h", "other.h"]


def test_names_of_a_type_come_first_that_have_words_of_the_text(store: Store) -> None:
    members = "".join(f"    def other_{n}(self): ...\n" for n in range(99))
    store.put("/w", "run.py", "python", f"class Run:\n{members}    def last_status(self): ...\n")
    (run, *_) = search(store, "/w", "from run import Run\n\ndef f(run: Run):\n    status = run.")
    assert run.brief.startswith("class Run: # last_status(), other_0(), ")
    assert run.brief.endswith("other_14()")
    assert 200 - len(", other_15()") <= len(run.brief) <= 200


def test_what_everybody_defines_is_found_where_it_is_imported_only(store: Store) -> None:
    for number in range(AMBIGUOUS + 1):
        store.put("/w", f"lib/m{number}.py", "python", f"def run(n{number}): ...")
    assert texts(search(store, "/w", "run(")) == []
    assert texts(search(store, "/w", "from lib.m3 import run\nrun(")) == ["def run(n3): ..."]


def test_a_mentioned_module_shows_what_it_has(store: Store) -> None:
    store.put("/w", "lib/gadgets.py", "python", MODULE)
    (found, *_) = search(store, "/w", "from lib import gadgets\n\ny = gadgets.")
    assert (found.text, found.brief) == ("def frobnicate(widget):", "# frobnicate")
    assert texts(search(store, "/w", "from lib import gadgets\n\ny = 1\n")) == []
    assert texts(search(store, "/w", "import other\n\ny = gadgets.")) == []


def test_members_that_stand_outside_of_their_type_come_with_its_name(store: Store) -> None:
    text = "package p\n\nfunc (s *Stack) Push(x int) {}\n"
    store.put("/w", "p/push.go", "go", text)
    site = Site("func f(s *Stack) {\n\ts.", "", "go", "p/main.go")
    found = next(store.find("/w", wanted(site, [])))
    assert texts(found) == ["func (s *Stack) Push(x int) {}"]


def test_other_languages_keep_to_themselves(store: Store) -> None:
    store.put("/w", "gadgets.js", "javascript", "function frobnicate(widget) {}")
    assert search(store, "/w", "frobnicate(") == []


@pytest.mark.parametrize(("language", "near"), [("c", "cpp"), ("javascriptreact", "typescript")])
def test_a_language_that_no_file_is_told_by_uses_the_definitions_of_its_like(
    store: Store, language: str, near: str
) -> None:
    code = {"cpp": "int frobnicate(int);", "typescript": "function frobnicate() {}"}[near]
    store.put("/w", "gadgets", near, code)
    site = Site("frobnicate(", "", language, "main")
    assert texts(next(store.find("/w", wanted(site, [])))) == [code]


def test_rare_words_find_pieces(store: Store) -> None:
    store.put("/w", "a.py", "python", "# zygote quux\nvalue = 1\n")
    store.put("/w", "b.py", "python", "# nothing of the kind\nother = 1\n")
    found = search(store, "/w", "zygote = quux + ")
    assert texts(found, "piece") == ["# zygote quux\nvalue = 1"]


def test_a_piece_shares_more_than_one_word_and_is_cut_to_the_lines_that_do(store: Store) -> None:
    long = "value = 0\n" * 14 + "# zygote\n# quux\n"
    store.put("/w", "a.py", "python", long)
    store.put("/w", "b.py", "python", "# zygote alone\nother = 1\n")
    (found,) = search(store, "/w", "zygote = quux + ")
    assert (found.path, found.line) == ("a.py", 16 - SHOWN)
    assert found.text.endswith("# zygote\n# quux")
    assert found.text.count("\n") == SHOWN - 1
    assert texts(search(store, "/w", "zygote = 1"), "piece") != []


def test_a_file_put_again_replaces_what_was_known(store: Store) -> None:
    store.put("/w", "a.py", "python", MODULE)
    store.put("/w", "a.py", "python", "def other(): ...")
    assert search(store, "/w", "frobnicate(") == []
    assert texts(search(store, "/w", "other(")) == ["def other(): ..."]


def test_chunks_hold_every_line_once() -> None:
    text = "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(40))
    pieces = chunks(text)
    joined = [line for _, piece in pieces for line in piece.split("\n") if line]
    assert joined == [line for line in text.split("\n") if line]
    assert all(piece.count("\n") < LINES for _, piece in pieces)
    lines = text.split("\n")
    assert all(lines[at] == piece.split("\n")[0] for at, piece in pieces)


def updated(index: Index) -> Index:
    for _ in index.update():
        pass
    return index


def test_the_index_follows_the_disk(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(MODULE)
    reports: list[tuple[int, int]] = []
    root = tmp_path.as_posix()
    index = updated(Index((root,), (), lambda *done: reports.append(done)))
    assert reports == [(0, 1), (1, 1)]
    assert texts(search(index.store, root, "frobnicate(")) == [MODULE.rstrip()]

    (tmp_path / "a.py").write_text("def changed_since(): ...")
    (tmp_path / "b.py").write_text("def added_since(): ...")
    updated(index)
    assert index.files == 2
    assert search(index.store, root, "frobnicate(") == []
    assert len(texts(search(index.store, root, "changed_since(added_since("))) == 2

    (tmp_path / "a.py").unlink()
    (tmp_path / ".gitignore").write_text("b.py")
    updated(index)
    assert index.files == 0
    assert search(index.store, root, "changed_since(added_since(") == []


def test_an_open_documents_text_counts_until_it_is_closed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(MODULE)
    root = tmp_path.as_posix()
    index = updated(Index((root,), (), lambda *_: None))
    index.open(root, "a.py", "def unsaved(): ...")
    updated(index)
    assert texts(search(index.store, root, "unsaved(frobnicate(")) == ["def unsaved(): ..."]
    index.close(root, "a.py")
    assert index.due
    updated(index)
    assert texts(search(index.store, root, "unsaved(frobnicate(")) == [MODULE.rstrip()]


def test_an_open_document_that_is_ignored_meanwhile_is_forgotten(tmp_path: Path) -> None:
    root = tmp_path.as_posix()
    index = updated(Index((root,), (), lambda *_: None))
    for path in ("kept.py", "private.py"):
        index.open(root, path, f"def {path[:-3]}_one(): ...")
    (tmp_path / ".caretignore").write_text("private.py")
    updated(index)
    found = texts(search(index.store, root, "kept_one(private_one("))
    assert found == ["def kept_one(): ..."]
    index.close(root, "private.py")


def test_memory_is_bounded_by_files_and_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        (tmp_path / f"m{number}.py").write_text(f"def number_{number}(): ...\n" * 10)
    monkeypatch.setattr(index_module, "MAX_FILES", 7)
    index = updated(Index((tmp_path.as_posix(),), (), lambda *_: None))
    assert index.files == 7
    monkeypatch.setattr(index_module, "MAX_CHARACTERS", 500)
    index = updated(Index((tmp_path.as_posix(),), (), lambda *_: None))
    assert index.files == 3
