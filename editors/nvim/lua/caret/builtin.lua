--- Suggestions by the editor's own `vim.lsp.inline_completion` (Neovim 0.12 and newer).

local api = vim.api
local accepted = require("caret.accepted")
local buffers = require("caret.buffer")
local part = require("caret.part")

---@type caret.Suggestions
local M = {}

local inline = vim.lsp.inline_completion

local METHOD = "textDocument/inlineCompletion"
local INVOKED = 1
local group = api.nvim_create_augroup("caret.builtin", {})
local invoked = false -- whether the next request is one that the user called for
---@type table<integer, true> Clients whose requests pass by `invoked`.
local marked = {}

--- The row and the text of what the editor shows, if it does.
---@return integer?, string?
local function shown()
  local namespace = api.nvim_get_namespaces()["nvim.lsp.inline_completion"]
  local marks = namespace and api.nvim_buf_get_extmarks(0, namespace, 0, -1, { limit = 1, details = true })
  local mark = marks and marks[1]
  if mark then
    return mark[2], mark[4].virt_text[1][1]
  end
end

--- The editor always asks as if nobody had called: mark the request that somebody called for.
---@param client vim.lsp.Client
local function mark(client)
  if marked[client.id] then
    return
  end
  marked[client.id] = true
  local request = client.request
  function client:request(method, params, ...)
    if invoked and method == METHOD then
      params.context.triggerKind, invoked = INVOKED, false
    end
    return request(self, method, params, ...)
  end
end

local enable

--- The editor has no word for it: leaving its feature and coming back takes the text away.
local function forget()
  inline.enable(false, { bufnr = 0 })
  enable(api.nvim_get_current_buf())
end

--- The editor goes on showing what no longer fits, until the next answer; take that away at once.
local function unfit()
  local _, text = shown()
  if text and not vim.startswith(text, vim.v.char) then
    forget()
  end
end

--- The same for a caret that has gone to another line.
local function left_behind()
  local row = shown()
  if row and row ~= api.nvim_win_get_cursor(0)[1] - 1 then
    forget()
    M.again() -- what has come back missed this event, by which it asks
  end
end

--- Also after `forget`: the editor must have drawn before we look.
function enable(buffer)
  inline.enable(true, { bufnr = buffer })
  api.nvim_clear_autocmds({ group = group, buffer = buffer })
  api.nvim_create_autocmd("InsertCharPre", { group = group, buffer = buffer, callback = unfit })
  api.nvim_create_autocmd("CursorMovedI", { group = group, buffer = buffer, callback = left_behind })
end

function M.attach(client, buffer)
  mark(client)
  enable(buffer)
end

--- The row and the byte column in which an item begins: 0.12.0 has methods for it.
---@return integer, integer
local function start_of(range)
  if range.start then
    return range.start.row, range.start.col
  end
  local row, column = range:to_extmark()
  return row, column
end

--- Insert a part of the editor's item: what is left comes back with the next answer.
---@param item vim.lsp.inline_completion.Item
---@param wanted caret.Part
local function insert(item, wanted)
  local text = item.insert_text --[[@as string]]
  local left = text
  if item.range then
    local row, column = start_of(item.range)
    left = buffers.rest(0, row, column, text)
  end
  local client = vim.lsp.get_client_by_id(item.client_id)
  if left and client then
    local taken = part.first(left, wanted)
    buffers.insert(taken)
    accepted.tell(client, { insertText = text, command = item.command }, taken, taken == left)
  end
end

function M.accept(wanted)
  return shown() ~= nil and inline.get({
    on_accept = function(item)
      insert(item, wanted)
    end,
  })
end

function M.select(step)
  if not shown() then
    return false
  end
  vim.schedule(function()
    inline.select({ count = step })
  end)
  return true
end

function M.dismiss()
  local something = shown() ~= nil
  if something then
    vim.schedule(forget)
  end
  return something
end

function M.again()
  api.nvim_exec_autocmds("CursorMovedI", { buffer = 0 })
end

function M.trigger()
  vim.schedule(function()
    invoked = true
    M.again()
  end)
  return true
end

return M
