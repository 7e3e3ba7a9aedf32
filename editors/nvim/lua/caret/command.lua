--- `:Caret NAME`.

local actions = require("caret.actions")
local assist = require("caret.assist")
local message = require("caret.message")

local M = {}

---@param call table As from `nvim_create_user_command`.
---@return string? What the user wrote behind the command's name.
local function instruction(call)
  local words = vim.list_slice(call.fargs, 2)
  return #words > 0 and table.concat(words, " ") or nil
end

---@param name string
---@return fun(call: table)
local function telling(name)
  return function(call)
    assist.tell(name, call, { instruction = instruction(call) })
  end
end

---@param name string
---@return fun(call: table)
local function editing(name)
  return function(call)
    assist.edit(name, call, { instruction = instruction(call) })
  end
end

---@type table<string, fun(call: table)>
local commands = {
  explain = telling("explain"),
  review = telling("review"),
  fix = editing("fix"),
  test = editing("test"),
  doc = editing("doc"),
  refactor = editing("refactor"),
  generate = editing("generate"),
  status = actions.status,
  restart = actions.restart,
  pause = actions.pause,
  resume = actions.resume,
  log = actions.log,
  doctor = actions.doctor,
  stats = actions.stats,
  stop = function()
    assist.stop()
  end,
}

--- Ask anything; what is asked is read in where it is not given.
function commands.ask(call)
  local function ask(question)
    if question and question ~= "" then
      assist.tell("ask", call, { instruction = question })
    end
  end
  local given = instruction(call)
  if given then
    ask(given)
  else
    vim.ui.input({ prompt = "Ask Caret: " }, ask)
  end
end

--- Debug: what went wrong is given, or it is what was copied last.
function commands.debug(call)
  assist.tell("debug", call, { text = instruction(call) or vim.fn.getreg('"') })
end

--- Run the subcommand that the user typed.
---@param call table As from `nvim_create_user_command`.
function M.run(call)
  local name = call.fargs[1]
  if vim.fn.getcmdwintype() ~= "" then
    message.show("Caret: close the command-line window first", vim.log.levels.WARN)
  elseif commands[name] then
    commands[name](call)
  else
    local known = table.concat(M.complete(""), ", ")
    message.show(("Caret: no command %s; there are %s"):format(name, known), vim.log.levels.ERROR)
  end
end

---@param lead string
---@return string[]
function M.complete(lead)
  local names = vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, vim.tbl_keys(commands))
  table.sort(names)
  return names
end

return M
