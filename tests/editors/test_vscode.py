"""The extension for VS Code by itself; `test_vscode_window` runs it in the editor."""

from __future__ import annotations

import pytest

from tests.editors import code_server


@pytest.mark.usefixtures("vsix")
@pytest.mark.parametrize("script", ["check", "test"])
def test_extension_by_itself(script: str) -> None:
    """Its types and style, and the parts that need no editor."""
    code_server.npm("run", "-s", script, cwd=code_server.EXTENSION)
