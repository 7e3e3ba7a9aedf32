"""A server inside Neovim that answers when a test says so, in place of Caret's process.

It speaks to the plugin as the process does, by the editor's own client: what the editor sends and
what it makes of the answers is real.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.editors.neovim import PLUGIN, Neovim, launched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FAULT = re.compile(r"Error|E\d+:|stack traceback|Warning")
"""Pattern of errors and warnings in the editor's messages."""
_INIT = """
vim.opt.runtimepath:prepend("%s")
vim.opt.shortmess:append("I")
vim.opt.swapfile = false
Server = { waiting = {}, heard = {}, suggestion = vim.NIL, holds = false }
local function capabilities()
  return {
    positionEncoding = Server.offered[1],
    textDocumentSync = { openClose = true, change = 2 },
    inlineCompletionProvider = true,
    executeCommandProvider = { commands = { "caret.accepted", "caret.fix", "caret.explain" } },
  }
end
-- What is suggested, from `column` of a row on; nothing where what stands there is not its
-- beginning. In the rows below it is what is left of it, as the real server has it.
local function items(params)
  local wanted, at = Server.suggestion, params.position
  if wanted == vim.NIL or at.line < wanted.row then
    return {}
  elseif at.line == wanted.row and at.character < wanted.column then
    return {}
  end
  local buffer = vim.uri_to_bufnr(params.textDocument.uri)
  local function byte(row, character)
    local line = vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] or ""
    return vim.str_byteindex(line, math.min(character, select(2, vim.str_utfindex(line))), true)
  end
  if at.line >= vim.api.nvim_buf_line_count(buffer) then
    return {}
  end
  local from, to = byte(wanted.row, wanted.column), byte(at.line, at.character)
  local lines = vim.api.nvim_buf_get_text(buffer, wanted.row, from, at.line, to, {})
  local typed = table.concat(lines, wanted.text:match("\\r?\\n") or "\\r")
  if not vim.startswith(wanted.text, typed) then
    return {}
  end
  local below = at.line > wanted.row
  local start = below and at or { line = wanted.row, character = wanted.column }
  return {
    {
      insertText = below and wanted.text:sub(#typed + 1) or wanted.text,
      range = { start = start, ["end"] = at },
      command = { title = "", command = "caret.accepted", arguments = { "1" } },
    },
  }
end
function Server.answer(result)
  local one = table.remove(Server.waiting, 1)
  one.callback(nil, result ~= vim.NIL and result or items(one.params))
end
local function serve(dispatchers)
  local closing, count = false, 0
  return {
    request = function(method, params, callback)
      count = count + 1
      callback = vim.schedule_wrap(callback)
      if method == "initialize" then
        Server.offered = params.capabilities.general.positionEncodings
        callback(nil, { capabilities = capabilities() })
      elseif method == "shutdown" then
        callback(nil, nil)
      else
        table.insert(Server.heard, { method, params })
        local one = { params = params, callback = callback }
        if params.command == "caret.accepted" then
          callback(nil, nil)
        elseif Server.holds or params.command then
          table.insert(Server.waiting, one)
        else
          callback(nil, items(params))
        end
      end
      return true, count
    end,
    notify = function(method, params)
      table.insert(Server.heard, { method, params })
      if method == "initialized" then
        local ready = { state = "ready", message = "", model = "" }
        vim.schedule(function() dispatchers.notification("caret/status", ready) end)
      elseif method == "exit" then
        closing = true
        dispatchers.on_exit(0, 0)
      end
      return true
    end,
    is_closing = function() return closing end,
    terminate = function()
      closing = true
      dispatchers.on_exit(0, 15)
    end,
  }
end
local config = require("caret.config")
local server = config.server
config.server = function()
  return vim.tbl_extend("force", server(), { cmd = serve })
end
require("caret").setup({ cmd = { vim.v.progpath }, builtin = %s })
"""
_HEARD = """
local found = {}
for _, one in ipairs(Server.heard) do
  if one[1] == ... then table.insert(found, one[2]) end
end
return found
"""


class Played(Neovim):
    """An editor whose server is played by the test."""

    def suggest(
        self, text: str | None, row: int = 0, column: int = 0, *, holds: bool = False
    ) -> None:
        """Suggest `text` from now on; with `holds`, requests wait until `answer` is called."""
        wanted = None if text is None else {"text": text, "row": row, "column": column}
        self.lua(
            "Server.suggestion, Server.holds, Server.waiting = ..., select(2, ...), {}",
            wanted,
            holds,
        )

    def answer(self, result: object = None) -> None:
        """Answer the oldest request that waits."""
        self.lua("Server.answer(...)", result)

    @property
    def waiting(self) -> int:
        return int(self.lua("return #Server.waiting"))

    def heard(self, method: str) -> list[Any]:
        """The parameters of all messages of a kind that the editor has sent."""
        return list(self.lua(_HEARD, method))

    def forget(self) -> None:
        """Forget what was heard, and the editor's messages."""
        self.lua("Server.heard = {}")
        self.command("messages clear")


@contextmanager
def played(binary: Path, home: Path, *, builtin: bool) -> Iterator[Played]:
    """Start an editor with the plugin and a server that the test plays."""
    init = _INIT % (PLUGIN, str(builtin).lower())
    with launched(Played, binary, home, init) as editor:
        yield editor
