--- Caret's client of the current buffer, and requests to it.

local compat = require("caret.compat")
local message = require("caret.message")

local M = { notify = compat.notify }

--- The client of the current buffer, or any; the user is told where there is none.
---@return vim.lsp.Client?
function M.running()
  local found = vim.lsp.get_clients({ name = "caret", bufnr = 0 })[1] or vim.lsp.get_clients({ name = "caret" })[1]
  if not found then
    message.show("Caret is not running; see :checkhealth caret", vim.log.levels.WARN)
  end
  return found
end

---@param failure table
local function notify(failure)
  message.show("Caret: " .. failure.message, vim.log.levels.ERROR)
end

--- Let the server do something.
---@param command string
---@param argument? table
---@param done? fun(result: any)
---@param failed? fun(failure: table) Shows why it could not; a message does where this is nil.
---@return fun()? cancel
function M.execute(command, argument, done, failed)
  local running = M.running()
  if not running then
    return nil
  end
  local params = { command = command, arguments = argument and { argument } or nil }
  local _, request = compat.request(running, "workspace/executeCommand", params, function(failure, result)
    if failure then
      (failed or notify)(failure)
    elseif done and result then
      done(result)
    end
  end)
  return request
    and function()
      compat.cancel(running, request)
    end
end

return M
