--- Caret's client of the current buffer, and requests to it.

local compat = require("caret.compat")

local M = { notify = compat.notify }

--- The client of the current buffer, or any; the user is told where there is none.
---@return vim.lsp.Client?
function M.running()
  local found = vim.lsp.get_clients({ name = "caret", bufnr = 0 })[1] or vim.lsp.get_clients({ name = "caret" })[1]
  if not found then
    vim.notify("Caret is not running; see :checkhealth caret", vim.log.levels.WARN)
  end
  return found
end

--- Let the server do something, and show why where it cannot.
---@param command string
---@param argument? table
---@param done? fun(result: any, failure: table?)
---@return fun()? cancel
function M.execute(command, argument, done)
  local running = M.running()
  if not running then
    return nil
  end
  local params = { command = command, arguments = argument and { argument } or nil }
  local _, request = compat.request(running, "workspace/executeCommand", params, function(failure, result)
    if failure and failure.code ~= vim.lsp.protocol.ErrorCodes.RequestCancelled then
      vim.notify("Caret: " .. failure.message, vim.log.levels.ERROR)
    end
    if done and (result or failure) then
      done(result, failure)
    end
  end)
  return request
    and function()
      compat.cancel(running, request)
    end
end

return M
