--- Tells the server what the user took, for its local statistics.

local compat = require("caret.compat")

local M = {}

---@param client vim.lsp.Client
---@param item table
---@param taken string What was inserted of the suggestion.
---@param whole boolean Whether nothing of the suggestion is left.
function M.tell(client, item, taken, whole)
  if whole and item.command then
    local command = { command = item.command.command, arguments = item.command.arguments }
    compat.request(client, "workspace/executeCommand", command, function() end)
  elseif not whole then
    local partly = { item = item, acceptedLength = compat.utf16_length(taken) }
    compat.notify(client, "textDocument/didPartiallyAcceptCompletion", partly)
  end
end

return M
