"""From where a file takes what it imports, and which paths that may be. Pure functions."""

from __future__ import annotations

import re
import sys
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lsp_server.workspace.declared import JAVASCRIPTS

if TYPE_CHECKING:
    from collections.abc import Iterable

_PYTHON = re.compile(
    r"\bfrom\s++(?P<of>[.\w]++)\s++import\s++(?P<names>\([^()]*+|[^\n(#]++)"
    r"|^\s*+import\s++(?P<modules>[^\n]++)",
    re.MULTILINE,
)
_JAVASCRIPT = re.compile(
    r"""\b(?:import|export)\b(?P<names>[^'"`;=]{0,4000}+)['"](?P<of>[^'"\n]++)"""
    r"""|\b(?:const|let|var)\b(?P<required>[^'"`;=]{0,4000}+)=\s*+(?:await\s++)?(?:require|import)\(\s*+"""
    r"""['"](?P<module>[^'"\n]++)"""
)
_JAVA = re.compile(r"\bimport\s++(?:static\s++)?(?P<of>\w++(?:\.\w++)*)\.(?P<name>\w++)\s*+;")
_LIBRARY = sys.stdlib_module_names
_NAME = re.compile(r"[\w$]+")
_PART = re.compile(r"[\w-]+")
_OWN = re.compile(r"@?/|[.~#$]|src/")
"""Begins what is no package's name: a relative path, or one that a project's settings map."""


def origins(texts: Iterable[str], language: str) -> dict[str, str]:
    """What a file's import lines take, and also modules that they name, with where that is.

    >>> origins(["from shop.bank import open as o", "import os.path"], "python")
    {'open': 'shop.bank', 'o': 'shop.bank', 'os': 'os.path', 'path': 'os.path'}
    >>> origins(["import Log, { type Level } from './log';"], "typescript")
    {'Log': './log', 'Level': './log'}
    >>> origins(["import shop.event.Event;"], "java")
    {'Event': 'shop.event'}
    """
    text, found = "\n".join(line.rstrip() for line in texts), dict[str, str]()
    if language == "python":
        for match in _PYTHON.finditer(text):
            modules = (match["modules"] or "").partition("#")[0].split(",")
            found |= {name: of.split()[0] for of in modules if of.strip() for name in _names(of)}
            found |= dict.fromkeys(_names(match["names"] or ""), match["of"])
    elif language in JAVASCRIPTS:
        for match in _JAVASCRIPT.finditer(text):
            names = _names(match["names"] or match["required"] or "")
            found |= dict.fromkeys(names, match["of"] or match["module"])
    elif language == "java":
        found |= {match["name"]: match["of"] for match in _JAVA.finditer(text)}
    return found


def _names(text: str) -> list[str]:
    return [name for name in _NAME.findall(text) if name not in ("as", "from", "type")]


def module_of(of: str) -> str:
    """The name of a module, of that in an import.

    >>> module_of("./lib/db.js"), module_of("shop.bank"), module_of(".bank")
    ('db', 'bank', 'bank')
    """
    _, slash, name = of.rpartition("/")
    return name.split(".")[0] if slash else name.rpartition(".")[2]


def closeness(of: str, path: str, language: str, root: str) -> int:
    """How many parts of an import's origin a path has, and one more; 0 for what it cannot be.

    >>> closeness("shop.bank", "src/shop/bank.py", "python", "/w")
    3
    >>> closeness("rich.table", "shop/table.py", "python", "/w")
    0
    """
    pure = PurePosixPath(path)
    places = [*pure.parts[:-1], pure.name.split(".")[0]]
    parts = _PART.findall(of)
    if language == "java":
        strange = len(places) > 1 and parts[-1] not in places
    elif language != "python":
        strange = not _OWN.match(of) and not set(parts) & set(places[:-1] or places)
    elif of.partition(".")[0] in _LIBRARY:
        strange = parts[0] != places[0]
    else:
        strange = of[0] != "." and parts[0] not in (*places, PurePosixPath(root).name)
    return 0 if strange else 1 + sum(part in places for part in parts)
