"""A folder that somebody laid out to harm whoever opens it: code, names, patterns and secrets.

Nothing of it may run, no name and no pattern may end the index or open what is excluded, and no
credential may get from another file into a prompt, or from the model into a suggestion.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import unicodedata
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from pygls.exceptions import JsonRpcException

from lsp_server.instruct.commands import COMMANDS
from tests.credentials import FORMS, credential
from tests.editor import editors
from tests.instructed import place
from tests.lsp_server.workspace.test_hostile import Process, fill
from tests.torture.figures import Figures
from tests.torture.kills import indexed
from tests.torture.stub_engine import MODEL, stub_engine
from tests.traps import Traps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.editor import Editor
    from tests.lsp_server.conftest import ModelServer

NAMES, RULES = 500, 200
_LEAST = 8
"""Characters of a credential in a row that nobody may see."""
_OPTIONS = {"fim": {"model": MODEL}, "instruct": {"model": MODEL}}
_PIECES = [
    "*",
    "**",
    "?",
    "/",
    "!",
    "#",
    "\\",
    " ",
    "[",
    "]",
    "[z-a]",
    "[[:x:]]",
    "a",
    "\t",
    "$",
    "~",
]
_EXCLUDED = {
    "vault/**": "vault/deep/a.py",
    "secret_*": "src/secret_a.py",
    "/rooted.py": "rooted.py",
    "**/keys/": "a/keys/b.py",
    "config/*.py": "config/a.py",
    "{root}/absolute": "absolute/a.py",
    "${workspaceFolder}/own/**": "own/a.py",
}
"""A pattern, and a file that it keeps out."""


def run(seed: int, scale: float) -> Figures:
    """Draw `scale` times as many names and patterns, and all forms of credentials."""
    random = Random(seed)
    figures = [
        _names(random, max(5, round(NAMES * scale))),
        _patterns(random, max(5, round(RULES * scale))),
        asyncio.run(_secrets(random, FORMS[:: max(1, round(1 / scale))])),
    ]
    off = [each for figure in figures for each in figure.off]
    return Figures("; ".join(figure.told for figure in figures), tuple(off))


@contextlib.contextmanager
def _index(roots: list[str], exclude: list[str]) -> Iterator[Process]:
    with tempfile.TemporaryDirectory() as folder:
        process = Process(Path(folder, "stderr"))
        process.tell(roots=roots, exclude=exclude)
        process.until("files")
        yield process
        process.kill()


def _names(random: Random, count: int) -> Figures:
    """Any bytes that a file system takes, at any depth, beside all that is no file."""
    with tempfile.TemporaryDirectory() as root:
        fill(Path(root))
        for number in range(count):
            folder = os.fsencode(root) + b"/" + b"/".join(_name(random) for _ in range(number % 9))
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - a path in bytes
            file = os.path.join(folder, _name(random) + b".py")  # noqa: PTH118
            with open(file, "w", encoding="utf-8") as written:  # noqa: PTH123
                written.write(f"def odd{number}(): pass\n")
        with _index([root], []) as index:
            paths = [path for number in range(count) for path in index.ask(root, f"odd{number}")]
    off = [f"a name as it is: {path!r}" for path in paths if any(map(_controls, path))]
    off += ["most files are not found"] if len(paths) < count / 2 else []
    return Figures(
        f"{len(paths)} of {count} files of odd names found, {len(off)} unescaped", tuple(off)
    )


def _controls(character: str) -> bool:
    """Return true for what a terminal or a prompt could take for more than a name."""
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def _name(random: Random) -> bytes:
    name = bytes(random.choice([b for b in range(1, 256) if b != 0x2F]) for _ in range(12))
    return name.lstrip(b".") or b"a"


def _patterns(random: Random, count: int) -> Figures:
    """Lines of ignore files and settings; those behind them keep files out all the same."""
    off = []
    for _ in range(max(1, count // 10)):
        with tempfile.TemporaryDirectory() as root:
            for path in [*_EXCLUDED.values(), "shown/a.py"]:
                file = Path(root, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("def kept(): pass\n")
            lines = ["".join(random.choices(_PIECES, k=random.randrange(8))) for _ in range(10)]
            Path(root, random.choice([".gitignore", ".caretignore"])).write_text("\n".join(lines))
            mine = [pattern.replace("{root}", root) for pattern in _EXCLUDED]
            with _index([root], [*random.sample(lines, 3), *mine]) as index:
                found = index.ask(root, "kept") - {"shown/a.py"}
            off += [f"{path} in spite of {lines}" for path in found]
    return Figures(f"{count} odd patterns, {len(off)} files in spite of theirs", tuple(off))


async def _secrets(random: Random, forms: list[str]) -> Figures:
    """Credentials in files full of traps, in what the model is asked and in what it writes."""
    with (
        tempfile.TemporaryDirectory() as home,
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("CARET_HOME", home)
        traps = Traps(Path(folder, "traps"))
        patch.setenv("PATH", f".::{traps.folder}:{os.environ['PATH']}")
        patch.chdir(traps.folder)
        planted = [credential(form, random) for form in forms]
        for number, (text, _) in enumerate(planted):
            (traps.folder / f"config{number}.py").write_text(_MODULE.format(n=number, text=text))
        with stub_engine() as engine:
            async with editors(dict(os.environ)) as start:
                editor = await start(_OPTIONS, folder=traps.folder, deadline_s=120)
                await indexed(editor)
                off, told = [], 0
                for number, (text, parts) in enumerate(planted):
                    asked = await _asked(editor, engine, number)
                    told += f"setting{number}" in asked
                    off += [f"in a prompt: {text}"] if _shows(asked, parts) else []
                    shown = await _suggested(editor, engine, text, random)
                    off += [f"suggested: {text}"] if _shows(shown, parts) else []
        off += [f"{trap} has run" for trap in traps.snapped]
    off += ["other files are in no prompt"] if told < len(forms) / 2 else []
    return Figures(
        f"{len(forms)} credentials, {told} of their files in prompts, "
        f"{len(off)} of them seen; {len(traps.snapped)} traps have run",
        tuple(off),
    )


_MODULE = """\
{text}
def setting{n}(name):
    \"\"\"Read {text}

    {text}
    \"\"\"
    # {text}
    {text}
    return name
"""


def _shows(text: str, parts: list[str]) -> bool:
    """Return true where enough of a credential is in a text."""
    pieces = (part[at : at + _LEAST] for part in parts for at in range(len(part) - _LEAST + 1))
    return any(piece in text for piece in pieces)


async def _asked(editor: Editor, engine: ModelServer, number: int) -> str:
    """Return what the engine is asked where a function with a credential is used."""
    engine.reset()
    text = f"from config{number} import setting{number}\n\n\ndef use():\n    setting{number}(\n"
    uri = editor.open(text, f"use{number}.py")
    await editor.texts(uri, 4, len(f"    setting{number}("), invoked=True)
    frame = f'  File "config{number}.py", line 3, in setting{number}\nValueError: no'
    question = place(uri, 4, instruction=f"What does `setting{number}` read?", text=frame)
    for command in COMMANDS:
        with contextlib.suppress(JsonRpcException):
            await editor.ask_caret(command, question)
    editor.close(uri)
    return str(engine.requests)


async def _suggested(editor: Editor, engine: ModelServer, text: str, random: Random) -> str:
    """Return what is suggested where the model writes a credential, or the rest of one."""
    shown = []
    for typed in (0, random.randrange(len(text) // 2)):
        engine.reset()
        engine.answer = _writing(text[typed:])
        uri = editor.open(f"import os\n\n{text[:typed]}", "written.py")
        shown += await editor.texts(uri, 2, typed, invoked=True)
        editor.close(uri)
    return str(shown)


def _writing(text: str) -> Callable[[dict[str, Any]], list[str]]:
    return lambda _: [*(text[at : at + 5] for at in range(0, len(text), 5)), "\nprint(1)\n"]
