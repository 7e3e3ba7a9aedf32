--- What the server says of itself with `caret/status`.

local message = require("caret.message")

local M = {}

---@type table<integer, table> The last status of each client.
local told = {}

local SIGNS = { loading = "…", ready = "", busy = "~", error = "!", off = "off" }

--- Take what only this server tells: its status, and the text of answers as they are written; and
--- its messages, which may come while text is typed.
---@param client vim.lsp.Client
---@param ready fun() Called when the model has come while text is typed.
function M.listen(client, ready)
  client.handlers["$/progress"] = function(failure, params, context)
    if not require("caret.assist").progress(params.token, params.value) then
      return vim.lsp.handlers["$/progress"](failure, params, context)
    end
    return vim.NIL
  end
  client.handlers["window/showMessage"] = function(_, params)
    message.show(params.message, 5 - params.type) -- the two count levels from opposite ends
    return vim.NIL
  end
  client.handlers["caret/status"] = function(_, status, context)
    local before = told[context.client_id]
    told[context.client_id] = status
    local typing = vim.startswith(vim.api.nvim_get_mode().mode, "i")
    if typing and status.state == "ready" and (not before or before.state ~= "busy") then
      ready()
    end
    vim.api.nvim_exec_autocmds("User", { pattern = "CaretStatus", data = status, modeline = false })
    return vim.NIL
  end
end

--- The status of the client of the current buffer.
---@return table?
function M.current()
  local client = vim.lsp.get_clients({ name = "caret", bufnr = 0 })[1]
  return client and (told[client.id] or { state = "loading", message = "", model = "" })
end

---@return string
function M.text()
  local status = M.current()
  if not status then
    return ""
  end
  local sign = SIGNS[status.state] or status.state
  return vim.trim(("Caret %s"):format(status.state == "loading" and status.message or sign))
end

return M
