--- Caret's client in Neovim: starts the server, and offers what the keys do.

local config = require("caret.config")
local keys = require("caret.keys")
local program = require("caret.program")
local status = require("caret.status")

local M = {}

--- Which of the two shows suggestions: the editor's own way, or ours where it has none.
---@return caret.Suggestions
local function shown_by()
  return require(config.values.builtin and "caret.builtin" or "caret.ghost")
end

--- Start Caret in every file; `options` are described in |caret-setup|.
---@param options? table
function M.setup(options)
  config.merge(options)
  local problem = program.problem(program.command(config.values.cmd)[1])
  if problem then
    vim.notify(("caret: the option cmd: %s"):format(problem), vim.log.levels.ERROR)
    return
  end
  if vim.lsp.config then
    vim.lsp.config("caret", config.server())
    vim.lsp.enable("caret")
    return
  end
  vim.api.nvim_create_autocmd("FileType", {
    group = vim.api.nvim_create_augroup("caret.start", {}),
    callback = function(event)
      config.start(event.buf)
    end,
  })
  if vim.v.vim_did_enter == 1 then -- loaded late, as 0.11 does by itself
    vim.cmd("doautoall caret.start FileType")
  end
end

--- Show suggestions in a buffer to which the server is attached.
---@param client vim.lsp.Client
---@param buffer integer
function M.attach(client, buffer)
  status.listen(client, function()
    shown_by().again()
  end)
  shown_by().attach(client, buffer)
  keys.map(buffer, M)
end

--- Insert the suggestion. False when none is shown.
---@return boolean
function M.accept()
  return shown_by().accept("all")
end

--- Insert the suggestion's next word. False when none is shown.
---@return boolean
function M.accept_word()
  return shown_by().accept("word")
end

--- Insert the suggestion up to its line's end. False when none is shown.
---@return boolean
function M.accept_line()
  return shown_by().accept("line")
end

--- Show the next suggestion, if there are several.
---@return boolean
function M.next()
  return shown_by().select(1)
end

--- Show the previous suggestion, if there are several.
---@return boolean
function M.previous()
  return shown_by().select(-1)
end

--- Take the suggestion away. False when none is shown.
---@return boolean
function M.dismiss()
  return shown_by().dismiss()
end

--- Ask for suggestions now, several where the model has several.
---@return boolean
function M.trigger()
  return shown_by().trigger()
end

--- A few words on how things stand, for a status line: |caret-status|.
---@return string
function M.status()
  return status.text()
end

return M
