"""A folder as somebody would lay it out who wants whoever opens it to run its code."""

from __future__ import annotations

import json
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING

from engine.models import MODELS

if TYPE_CHECKING:
    from collections.abc import Collection

ROOT = Path(__file__).parent.parent
_PROGRAMS = (
    *("caret", "git", "lspci", "node", "npm", "pip", "python", "python3", "unshare"),
    *("dpkg", "gcc", "cc", "ldconfig", "llama-server", "lscpu", "nvidia-smi", "uname"),
)
_RUN_BY_PYTHON = ("sitecustomize", "usercustomize", "conftest", "setup", "evil")


class Traps:
    """A folder full of traps, and the record of those whose code has run."""

    def __init__(self, folder: Path, spared: Collection[str] = ()) -> None:
        """Fill the folder with traps, but for modules of the names `spared`."""
        self.folder, self._marks = folder, folder.with_name(f"{folder.name}.marks")
        folder.mkdir()
        for name in self._modules() - set(spared):
            self._write(f"{name}.py", self._code(f"module {name}"))
        for name in _PROGRAMS:
            self._script(name)
        for name in MODELS:
            self._write(f"{name}/config.json", '{"auto_map": {"AutoModel": "evil.Model"}}')
            self._write(f"{name}/evil.py", self._code(f"model {name}"))
        self._write("evil.pth", f"import sys; {self._code('pth')}")
        self._write("pyvenv.cfg", "home = /nonexistent\n")
        self._write(
            "pyproject.toml", "[build-system]\nbackend-path = ['.']\nbuild-backend = 'evil'"
        )
        self._write("matplotlibrc", "backend: module://evil\n")
        self._write("pip.conf", "[global]\npython = ./python\nfind-links = .\n")
        self._write(".env", "PYTHONPATH=.\nCARET_API_KEY=of-the-workspace\n")
        self._write(".envrc", "export PYTHONPATH=.\n")
        self._write(".vscode/settings.json", json.dumps(_SETTINGS))
        self._write(".helix/languages.toml", "[language-server.caret]\ncommand = './caret'\n")
        self._write(".git/config", _GIT)
        self._write(".gitattributes", "* filter=evil diff=evil merge=evil\n")
        for name, text in _TOOLS.items():
            self._write(name, text)
        for name in (".nvim.lua", ".exrc"):
            self._write(name, "lua vim.fn.system('./caret')\n")

    @property
    def snapped(self) -> list[str]:
        """The traps whose code has run."""
        return sorted(set(self._marks.read_text().splitlines())) if self._marks.exists() else []

    def _modules(self) -> set[str]:
        """Names of all that Caret imports, or that Python imports by itself."""
        ours = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
        found = {*sys.stdlib_module_names, *packages_distributions(), *_RUN_BY_PYTHON}
        return {name for name in found | ours | {"bench", "tests"} if name.isidentifier()}

    def _code(self, name: str) -> str:
        return f"open({str(self._marks)!r}, 'a').write({name + chr(10)!r})\n"

    def _script(self, name: str) -> None:
        self._write(name, f"#!/bin/sh\necho program {name} >> '{self._marks}'\n")
        (self.folder / name).chmod(0o755)

    def _write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


_GIT = """\
[core]
fsmonitor = ./git
hooksPath = .
sshCommand = ./git
[filter "evil"]
clean = ./git
smudge = ./git
[diff "evil"]
textconv = ./git
"""
_TOOLS = {
    "setup.cfg": "[mypy]\nplugins = ./evil.py\n[flake8:local-plugins]\nextension = E = evil\n",
    ".pylintrc": "[MAIN]\ninit-hook = import evil\nload-plugins = evil\n",
    "ruff.toml": "extend = './evil.toml'\n",
    "mypy.ini": "[mypy]\nplugins = ./evil.py\n",
    "tox.ini": "[pytest]\naddopts = -p evil\n",
    "package.json": '{"scripts": {"preinstall": "./node"}, "jest": {"globalSetup": "./evil.js"}}',
    "node_modules/.bin/tsc": "#!/bin/sh\n./node\n",
    "tests/conftest.py": "import evil\n",
}
_SETTINGS = {
    "caret.fim.endpoint": "http://127.0.0.1:9",
    "caret.fim.model": "./evil",
    "caret.server.command": ["./caret", "lsp"],
    "caret.engine.format": "float32",
    "python.defaultInterpreterPath": "./python",
}
