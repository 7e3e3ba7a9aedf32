"""Where and with what a figure was measured, and whether the machine was quiet."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys
from pathlib import Path

import psutil

from engine import spawn

Facts = dict[str, str]

BUSY_PERCENT = 15.0
"""Of all cores together; more than that in use by others, and times cannot be trusted."""
_LOOK_S = 1.0
_PACKAGES = ("caret-lsp", "torch", "transformers", "tokenizers")


def machine() -> Facts:
    """The hardware and its operating system."""
    memory = psutil.virtual_memory().total / 2**30
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    return {
        "processor": f"{_processor()}, {cores} cores",
        "memory": f"{memory:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    """Its name with family and model where Linux tells them: cloud names say little."""
    try:
        told = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = dict(re.findall(r"^(model name|cpu family|model)\s*: (.*)$", told, re.MULTILINE))
    name = found.get("model name", platform.machine())
    numbers = [f"{key} {found[key]}" for key in ("cpu family", "model") if key in found]
    return f"{name} ({', '.join(numbers)})" if numbers else name


def versions() -> Facts:
    """What computes on Caret's side."""
    known = {name: _version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "commit": commit()} | known


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def commit() -> str:
    """Of the working tree that runs, with a `+` where it was changed; "installed" outside one."""
    root = Path(__file__).parent.parent
    try:
        # A commit of the tree that these files belong to, not of any other around them.
        shown = _git(root, "log", "-1", "--format=%h", "--", "bench/__init__.py") and _git(
            root, "rev-parse", "--short", "HEAD"
        )
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except OSError:
        return "installed"
    return (shown + "+" * bool(changed)) or "installed"


def _git(root: Path, *arguments: str) -> str:
    git = spawn.program("git")
    done = spawn.run([git, "-C", str(root), *arguments]) if git else None
    if done is None or done.returncode != 0:
        raise OSError("git does not answer")
    return done.stdout.strip()


def command_line() -> str:
    """The command as a person would type it again."""
    return " ".join(["caret bench", *sys.argv[1:]])


def busy() -> float:
    """Percent of all cores that are in use just now, while this process sleeps."""
    return psutil.cpu_percent(interval=_LOOK_S)
