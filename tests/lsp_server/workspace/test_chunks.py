"""A file cut into pieces for search."""

from __future__ import annotations

from lsp_server.workspace.chunks import chunks


def test_lines_are_those_of_an_editor() -> None:
    """Form feeds, vertical tabs and U+2028 end none, so that line numbers are right."""
    odd = "a = 1\x0c\nb = '\u2028\x85'\r\n\x0b\n" + "c = 3\r" * 20
    numbers = [at for at, _ in chunks(odd + "\n" + "def f():\n    return 1\n" * 12)]
    plain = "a = 1\nb = ''\n\n" + "c = 3\n" * 20
    assert numbers == [at for at, _ in chunks(plain + "\n" + "def f():\n    return 1\n" * 12)]
