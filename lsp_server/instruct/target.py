"""Where the tests of a file go, and with what they are written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A file of tests."""

    path: str
    """Relative to the workspace folder."""
    framework: str
    """As the prompt names it, such as `pytest`."""
    imports: str = ""
    """A sentence for the prompt: how a test gets at the code."""
    before: str | None = None
    """Its text, if it is there already."""
