"""What the examples in docstrings say happens, happens."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

from lsp_server.context import Site

ROOT = Path(__file__).parent.parent
FILES = [
    file
    for name in ("lsp_server", "engine", "quant", "bench")
    for file in ROOT.glob(f"{name}/**/*.py")
]
MODULES = [
    ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for file in sorted(FILES)
    if ">>> " in file.read_text("utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    found = doctest.testmod(import_module(name), extraglobs={"Site": Site})
    assert found.attempted
    assert not found.failed
