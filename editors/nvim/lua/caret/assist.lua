--- Explanations that stream into a window, and edits that are shown before they are made.

local client = require("caret.client")
local compat = require("caret.compat")
local config = require("caret.config")
local message = require("caret.message")
local proposal = require("caret.proposal")
local window = require("caret.window")

local M = {}

---@class caret.Request
---@field client integer
---@field cancel? fun()
---@field page? caret.Page Where its text is shown.
---@type table<string, caret.Request> Requests at work, by the token of their progress.
local requests = {}
local made = 0

--- Show what comes of an answer: called for every `$/progress` of the server.
---@param token string|integer
---@param value table
---@return boolean ours
function M.progress(token, value)
  local request = requests[token]
  if request and request.page and value.text then
    request.page:add(value.text)
  end
  return request ~= nil
end

--- The range of the caret, where nothing was selected.
---@param encoding string
local function here(encoding)
  local at = vim.lsp.util.make_position_params(0, encoding).position
  return { start = at, ["end"] = at }
end

--- A position of the protocol, from one that counts bytes.
---@param row integer From 0.
---@param byte integer
---@param encoding string
local function position(row, byte, encoding)
  local line = vim.api.nvim_buf_get_lines(0, row, row + 1, false)[1] or ""
  return { line = row, character = compat.column(line, math.min(byte, #line), encoding) }
end

--- The protocol's range of the lines or the selection that a command was given.
---@param call table
---@param encoding string
---@return table?
local function range(call, encoding)
  if call.range == 0 then
    return nil
  end
  return { start = position(call.line1 - 1, 0, encoding), ["end"] = position(call.line2 - 1, math.huge, encoding) }
end

--- Diagnostics of any server in a range of lines.
---@param wanted table
---@param encoding string
local function diagnostics(wanted, encoding)
  local found = vim.tbl_filter(function(one)
    return one.lnum <= wanted["end"].line and (one.end_lnum or one.lnum) >= wanted.start.line
  end, vim.diagnostic.get(0))
  return vim.tbl_map(function(one)
    return {
      range = {
        start = position(one.lnum, one.col, encoding),
        ["end"] = position(one.end_lnum or one.lnum, one.end_col or one.col, encoding),
      },
      severity = one.severity,
      message = one.message,
      source = one.source,
      code = one.code,
    }
  end, found)
end

---@param name string
---@param call table
---@param more table Further fields of the argument.
---@param page? caret.Page
---@param done fun(result?: table, failure?: table)
local function start(name, call, more, page, done)
  local running = client.running()
  if not running then
    return
  end
  made = made + 1
  local token = ("caret-%d"):format(made)
  local encoding = running.offset_encoding
  local wanted = range(call, encoding) or here(encoding)
  local argument = vim.tbl_extend("error", {
    textDocument = vim.lsp.util.make_text_document_params(),
    range = wanted,
    diagnostics = diagnostics(wanted, encoding),
    partialResultToken = token,
    apply = false,
  }, more)
  local request = { client = running.id, page = page }
  requests[token] = request
  request.cancel = client.execute("caret." .. name, argument, function(result)
    requests[token] = nil
    done(result)
  end, function(failure)
    requests[token] = nil
    done(nil, failure)
  end)
end

--- Stream an answer into a page that is open.
---@param name string
---@param call table
---@param more table
---@param page caret.Page
local function stream(name, call, more, page)
  start(name, call, more, page, function(result, failure)
    page:finish(result, failure)
  end)
end

--- Stream an answer into a window.
---@param name string
---@param call table
---@param more table
function M.tell(name, call, more)
  if not client.running() then
    return
  end
  local source = vim.api.nvim_get_current_buf()
  local page = window.open(config.values.answer, "Caret: " .. name)
  page.stop = function()
    M.stop(page)
  end
  page.follow = function(question)
    M.follow(page, source, question)
  end
  vim.api.nvim_buf_call(source, function()
    stream(name, call, more, page)
  end)
end

--- Ask further in a page's conversation; what is still written there is stopped.
---@param page caret.Page
---@param source integer The buffer that was asked from.
---@param question string
function M.follow(page, source, question)
  if not vim.api.nvim_buf_is_loaded(source) then
    message.show("Caret: the code of this answer is closed; ask from the code", vim.log.levels.WARN)
    return
  end
  page.stop()
  page:heading(question)
  vim.api.nvim_buf_call(source, function()
    stream("ask", { range = 0 }, { instruction = question, conversation = page.conversation }, page)
  end)
end

--- Show an edit as a diff, and make it when the user agrees. What is no edit is shown in words: a
--- message of several lines would have the user press Enter first.
---@param name string
---@param call table
---@param more table
function M.edit(name, call, more)
  local running = client.running()
  message.show(("Caret: %s …"):format(name))
  start(name, call, more, nil, function(result, failure)
    local edit = result and result.edit ~= vim.NIL and result.edit
    local ticks = edit and proposal.ticks(edit)
    window.when_free(function()
      if edit then
        proposal.show(edit, running.offset_encoding, name, ticks)
      else
        window.open(config.values.answer, "Caret: " .. name):finish(result, failure)
      end
    end)
  end)
end

--- Whether something is being written.
---@return boolean
function M.busy()
  return next(requests) ~= nil
end

--- The editor passes no answer on for what was cancelled or whose server has ended: it is over here.
---@param why string
---@param concerns fun(request: caret.Request): boolean
local function finish(why, concerns)
  for token, request in pairs(requests) do
    if request.cancel and concerns(request) then
      request.cancel()
      requests[token] = nil
      if request.page then
        request.page:finish(nil, { message = why })
      end
    end
  end
end

--- Stop what is being written: all of it, or what is for one page.
---@param page? caret.Page
function M.stop(page)
  finish("Stopped.", function(request)
    return page == nil or request.page == page
  end)
end

--- Say that nothing more comes from a server.
---@param server integer
function M.ended(server)
  finish("Caret's server has ended.", function(request)
    return request.client == server
  end)
end

return M
