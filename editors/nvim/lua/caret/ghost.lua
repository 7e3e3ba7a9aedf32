--- Ghost text of our own, for Neovim before 0.12: one request a key, one extmark.
---
--- What is typed along a suggestion redraws it at once, before any answer: the drawn text is never
--- stale, and never gone for a moment.

local api = vim.api
local accepted = require("caret.accepted")
local buffers = require("caret.buffer")
local compat = require("caret.compat")
local part = require("caret.part")

---@class caret.Suggestions
---@field attach fun(client: vim.lsp.Client, buffer: integer)
---@field accept fun(part: caret.Part): boolean
---@field select fun(step: integer): boolean
---@field dismiss fun(): boolean
---@field trigger fun(): boolean
---@field again fun() Ask anew, as if a key had been typed.
local M = {}

local METHOD = "textDocument/inlineCompletion"
local AUTOMATIC, INVOKED = 2, 1
local namespace = api.nvim_create_namespace("caret.ghost")
local group = api.nvim_create_augroup("caret.ghost", {})

---@class caret.State
---@field client integer
---@field asked integer Number of the newest request: it alone may draw.
---@field at string Text version and caret that were asked for.
---@field items table[]
---@field index integer
---@type table<integer, caret.State>
local states = {}

---@return caret.State?, vim.lsp.Client?
local function current()
  local state = states[api.nvim_get_current_buf()]
  return state, state and vim.lsp.get_client_by_id(state.client)
end

--- What the chosen suggestion adds at the caret.
---@return string?, table?
local function rest()
  local state, client = current()
  local item = state and state.items[state.index]
  if not item or not client then
    return nil
  end
  local start = item.range.start
  local line = api.nvim_buf_get_lines(0, start.line, start.line + 1, false)[1] or ""
  local column = compat.byte_column(line, start.character, client.offset_encoding)
  return buffers.rest(start.line, column, item.insertText), item
end

--- A line as it is drawn at the caret: the editor draws tabs there as one column.
---@param line string
---@return string
local function spaced(line)
  local first, drawn = vim.fn.virtcol(".") - 1, ""
  for text, tab in line:gmatch("([^\t]*)(\t?)") do
    drawn = drawn .. text
    local column = first + vim.fn.strdisplaywidth(drawn, first)
    drawn = drawn .. (" "):rep(tab == "" and 0 or vim.fn.strdisplaywidth(tab, column))
  end
  return drawn
end

local function draw()
  api.nvim_buf_clear_namespace(0, namespace, 0, -1)
  local text = rest()
  if not text then
    return
  end
  local lines = vim.split(text, "\n", { plain = true })
  local below = vim.tbl_map(function(line)
    return { { line, "CaretGhost" } }
  end, vim.list_slice(lines, 2))
  local row, column = unpack(api.nvim_win_get_cursor(0))
  api.nvim_buf_set_extmark(0, namespace, row - 1, column, {
    virt_text = { { spaced(lines[1]), "CaretGhost" } },
    virt_text_pos = "inline",
    virt_lines = below,
    hl_mode = "combine",
  })
end

local function clear()
  local state = current()
  if state then
    state.items, state.at, state.asked = {}, "", state.asked + 1
  end
  api.nvim_buf_clear_namespace(0, namespace, 0, -1)
end

---@param kind integer
local function ask(kind)
  local state, client = current()
  if not state or not client then
    return
  end
  state.asked, state.at = state.asked + 1, buffers.place()
  local buffer, number, at = api.nvim_get_current_buf(), state.asked, state.at
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = kind }
  local function answer(failure, result)
    if failure or states[buffer] ~= state or number ~= state.asked or buffers.place() ~= at then
      return
    end
    if not vim.startswith(api.nvim_get_mode().mode, "i") then
      return
    end
    state.items, state.index = buffers.items(result), 1
    draw()
  end
  compat.request(client, METHOD, params, answer, buffer)
end

--- One key fires several events; a request is sent for the first of them.
local function changed()
  local state = current()
  if not state then
    return
  end
  if buffers.place() ~= state.at then
    draw()
    ask(AUTOMATIC)
  end
end

function M.attach(client, buffer)
  states[buffer] = { client = client.id, asked = 0, at = "", items = {}, index = 1 }
  api.nvim_set_hl(0, "CaretGhost", { link = "NonText", default = true })
  api.nvim_clear_autocmds({ group = group, buffer = buffer })
  local function on(events, callback)
    api.nvim_create_autocmd(events, { group = group, buffer = buffer, callback = callback })
  end
  on({ "InsertEnter", "TextChangedI", "TextChangedP", "CursorMovedI" }, changed)
  on({ "InsertLeave", "BufLeave" }, clear)
  -- While nobody listens to this, the editor evaluates the mapping of a key before the one that was typed
  -- before it is in the text.
  on("InsertCharPre", function() end)
  on("LspDetach", function(event)
    if event.data.client_id == client.id then
      states[buffer] = nil
    end
  end)
end

function M.accept(wanted)
  if not rest() then
    return false
  end
  buffers.afterwards(function()
    local text, item = rest()
    local _, client = current()
    if text and item and client then
      local taken = part.first(text, wanted)
      buffers.insert(taken)
      accepted.tell(client, item, item.insertText:sub(1, #item.insertText - #text + #taken))
      draw()
    end
  end)
  return true
end

function M.select(step)
  local state = current()
  if not state or #state.items < 2 or not rest() then
    return false
  end
  state.index = (state.index - 1 + step) % #state.items + 1
  draw()
  return true
end

function M.dismiss()
  local shown = rest() ~= nil
  if shown then
    clear()
  end
  return shown
end

function M.again()
  ask(AUTOMATIC)
end

function M.trigger()
  ask(INVOKED)
  return current() ~= nil
end

return M
