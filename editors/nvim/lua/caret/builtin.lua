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
local typed = "" -- since the editor drew the suggestion
---@type table<integer, true> Clients whose requests pass by here.
local watched = {}
local forgotten = 0 -- how often the editor's feature was left and came back: it knows no older requests

--- The row and the text of what the editor shows, if it does.
---@return integer?, string?
local function shown()
  local namespace = api.nvim_get_namespaces()["nvim.lsp.inline_completion"]
  local marks = namespace and api.nvim_buf_get_extmarks(0, namespace, 0, -1, { limit = 1, details = true })
  local mark = marks and marks[1]
  if mark then
    local text = mark[4].virt_text
    return mark[2], text and text[1] and text[1][1] or ""
  end
end

--- The editor always asks as if nobody had called: mark the request that somebody called for. It takes
--- answers for a text that has changed or is gone, which can end in errors: they are dropped. And it would
--- show and insert the line ends of a file.
---@param client vim.lsp.Client
local function watch(client)
  if watched[client.id] then
    return
  end
  watched[client.id] = true
  local request = client.request
  function client:request(method, params, answer, ...)
    if method ~= METHOD then
      return request(self, method, params, answer, ...)
    end
    if invoked then
      params.context.triggerKind, invoked = INVOKED, false
    end
    local place, before = buffers.place(), forgotten
    return request(self, method, params, function(failure, result, ...)
      if buffers.place() == place and forgotten == before then
        answer(failure, buffers.items(result), ...)
      end
    end, ...)
  end
end

local enable

--- The editor has no word for it: leaving its feature and coming back takes the text away.
local function forget()
  forgotten = forgotten + 1
  inline.enable(false, { bufnr = 0 })
  enable(api.nvim_get_current_buf())
end

--- The editor goes on showing what no longer fits, until the next answer; take that away at once.
local function unfit()
  local _, text = shown()
  typed = typed .. vim.v.char
  if text and not vim.startswith(text, typed) then
    forget()
  end
end

--- The same for a caret that has gone to another line.
local function left_behind()
  typed = ""
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
  api.nvim_create_autocmd({ "CursorMovedI", "TextChangedP" }, { group = group, buffer = buffer, callback = left_behind })
end

function M.attach(client, buffer)
  watch(client)
  enable(buffer)
  -- The editor attaches its feature in what it schedules next, and has missed the keys until then.
  vim.schedule(vim.schedule_wrap(function()
    if api.nvim_get_current_buf() == buffer and vim.startswith(api.nvim_get_mode().mode, "i") then
      M.again()
    end
  end))
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
    left = buffers.rest(row, column, text)
  end
  local client = vim.lsp.get_client_by_id(item.client_id)
  if left and client then
    local taken = part.first(left, wanted)
    buffers.insert(taken)
    accepted.tell(client, { insertText = text, command = item.command }, text:sub(1, #text - #left + #taken))
  end
end

function M.accept(wanted)
  if not shown() then
    return false
  end
  buffers.afterwards(function()
    inline.get({
      on_accept = function(item)
        insert(item, wanted)
      end,
    })
    -- The editor puts it off; keys that are typed already must not come before.
    local over = false
    vim.schedule(function()
      over = true
    end)
    vim.wait(1000, function()
      return over
    end, 1)
  end)
  return true
end

function M.select(step)
  if not shown() then
    return false
  end
  buffers.afterwards(function()
    inline.select({ count = step })
  end)
  return true
end

function M.dismiss()
  if not shown() then
    return false
  end
  buffers.afterwards(forget)
  return true
end

function M.again()
  api.nvim_exec_autocmds("CursorMovedI", { buffer = 0 })
end

function M.trigger()
  buffers.afterwards(function()
    invoked = true
    M.again()
  end)
  return true
end

return M
