--- Windows for what Caret says: a float or a split of Markdown that text streams into.

local api = vim.api
local message = require("caret.message")
local program = require("caret.program")

local M = {}

---@class caret.Page
---@field buffer integer
---@field conversation? string
---@field closed boolean
---@field from integer The line, from 0, in which the newest answer begins.
---@field stop fun() Stop the answer.
---@field follow fun(question: string) Ask further.
local Page = {}
Page.__index = Page

--- Text of the server's by lines. Those of a file with line ends of Windows may come apart: CR, then LF.
---@param text string
---@return string[]
local function lines_of(text)
  return vim.split(text:gsub("\r", ""), "\n", { plain = true })
end

function Page:is_closed()
  return self.closed or not api.nvim_buf_is_loaded(self.buffer)
end

--- Text at the end; a window that shows the end goes on showing it.
---@param text string
function Page:add(text)
  if self:is_closed() then
    return
  end
  local before = api.nvim_buf_line_count(self.buffer)
  local last = api.nvim_buf_get_lines(self.buffer, -2, -1, false)[1]
  vim.bo[self.buffer].modifiable = true
  api.nvim_buf_set_text(self.buffer, before - 1, #last, before - 1, #last, lines_of(text))
  vim.bo[self.buffer].modifiable = false
  for _, shown in ipairs(vim.fn.win_findbuf(self.buffer)) do
    if api.nvim_win_get_cursor(shown)[1] == before then
      api.nvim_win_set_cursor(shown, { api.nvim_buf_line_count(self.buffer), 0 })
    end
  end
end

---@param text string
function Page:heading(text)
  self:add(("\n\n---\n\n**%s**\n\n"):format(text))
  self.from = api.nvim_buf_line_count(self.buffer) - 1
end

--- The answer is over: the whole text takes the place of what came of it.
---@param result? { text: string, conversation: string }
---@param failure? table
function Page:finish(result, failure)
  if failure then
    self:add(("\n\n*%s*\n"):format(failure.message))
  elseif result and not self:is_closed() then
    self.conversation = result.conversation
    vim.bo[self.buffer].modifiable = true
    api.nvim_buf_set_lines(self.buffer, self.from, -1, false, lines_of(result.text))
    vim.bo[self.buffer].modifiable = false
  end
end

---@return caret.Page
local function page()
  local buffer = api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = "wipe"
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].filetype = "markdown"
  return setmetatable({ buffer = buffer, from = 0, closed = false }, Page)
end

---@param made caret.Page
local function keys(made)
  local function map(key, does, what)
    vim.keymap.set("n", key, does, { buffer = made.buffer, nowait = true, desc = "Caret: " .. what })
  end
  map("q", "<Cmd>bwipeout<CR>", "close")
  map("<C-c>", function()
    made.stop()
  end, "stop the answer")
  map("<CR>", function()
    vim.ui.input({ prompt = "Ask further: " }, function(question)
      if question and question ~= "" then
        made.follow(question)
      end
    end)
  end, "ask further")
end

--- Call `does`, which opens windows, in normal mode: elsewhere it would take keys from what the user types.
---@param does fun()
function M.when_free(does)
  local function is_free()
    return api.nvim_get_mode().mode == "n" and vim.fn.getcmdwintype() == ""
  end
  if is_free() then
    does()
    return
  end
  message.show("Caret: the answer is there; it is shown in normal mode")
  local waiting
  waiting = api.nvim_create_autocmd({ "ModeChanged", "CmdwinLeave" }, {
    callback = vim.schedule_wrap(function()
      if waiting and is_free() then
        api.nvim_del_autocmd(waiting)
        waiting = nil
        does()
      end
    end),
  })
end

--- Open a page and go to it; closing it stops the answer.
---@param kind "float"|"split"
---@param title string
---@return caret.Page
function M.open(kind, title)
  local made = page()
  made.stop = function() end
  made.follow = function() end
  if kind == "float" then
    local width, height = math.floor(vim.o.columns * 0.8), math.floor(vim.o.lines * 0.7)
    api.nvim_open_win(made.buffer, true, {
      relative = "editor",
      width = width,
      height = height,
      row = math.floor((vim.o.lines - height) / 2),
      col = math.floor((vim.o.columns - width) / 2),
      border = "rounded",
      title = (" %s · q closes, Ctrl-C stops, Enter asks further "):format(title),
    })
  else
    vim.cmd("botright split")
    api.nvim_win_set_buf(0, made.buffer)
  end
  vim.wo.wrap, vim.wo.linebreak = true, true
  keys(made)
  api.nvim_create_autocmd("BufWipeout", {
    buffer = made.buffer,
    callback = function()
      made.closed = true
      made.stop()
    end,
  })
  return made
end

--- A program of Caret's in a terminal.
---@param command string[]
function M.program(command)
  vim.cmd.new()
  vim.bo.bufhidden = "wipe"
  local surroundings = program.surroundings()
  if vim.fn.has("nvim-0.11") == 1 then
    vim.fn.jobstart(command, vim.tbl_extend("error", surroundings, { term = true }))
  else
    vim.fn.termopen(command, surroundings)
  end
end

return M
