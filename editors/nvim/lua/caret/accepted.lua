--- Tells the server what the user took, for its local statistics.

local compat = require("caret.compat")

local M = {}

--- The server counts from the suggestion's beginning, which may have been typed or taken before, and
--- in the line ends that the editor sends.
---@param client vim.lsp.Client
---@param item table
---@param taken string What the buffer has of the suggestion now.
function M.tell(client, item, taken)
  if #taken < #item.insertText then
    local counted = vim.bo.fileformat == "dos" and taken:gsub("\n", "\r\n") or taken
    local partly = { item = item, acceptedLength = compat.utf16_length(counted) }
    compat.notify(client, "textDocument/didPartiallyAcceptCompletion", partly)
  elseif item.command then
    local command = { command = item.command.command, arguments = item.command.arguments }
    compat.request(client, "workspace/executeCommand", command, function() end)
  end
end

return M
