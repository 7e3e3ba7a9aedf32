"""Answers of a model put into a file, for tests of what becomes of them."""

from __future__ import annotations

from lsp_server.instruct.ask import Ask, Task
from lsp_server.instruct.change import Change, change_of, complaints_about
from lsp_server.instruct.commands import COMMANDS
from lsp_server.instruct.place import Place, Problem
from lsp_server.instruct.region import task_of

TEXT = '''"""Shapes."""

import math


def helper(x):
    return x


class Disk:
    def area(self):
        # TODO: use math.pi
        return 0

    def half(self):
        return self.area() / 2
'''


def task(name: str, line: int, text: str = TEXT, language: str = "python", **more: object) -> Task:
    place = Place("shapes.py", language, text, (line, 0), (line, 0))
    more = {"problems": (Problem(line, line, "wrong"),)} | more if name == "fix" else more
    return task_of(Ask(COMMANDS[name], place, **more))  # type: ignore[arg-type]


def made(
    name: str, line: int, answer: str, text: str = TEXT, language: str = "python", **more: object
) -> Change | None:
    return change_of(task(name, line, text, language, **more), answer)


def told(name: str, line: int, answer: str, text: str = TEXT, **more: object) -> list[str]:
    asked = task(name, line, text, **more)  # type: ignore[arg-type]
    change = change_of(asked, answer)
    assert change is not None
    return complaints_about(asked, change)


def after(name: str, line: int, answer: str, text: str = TEXT, **more: object) -> str:
    change = made(name, line, answer, text, **more)  # type: ignore[arg-type]
    assert change is not None
    return change.after


def block(code: str) -> str:
    return f"Here it is:\n\n```python\n{code}\n```\nDone."
