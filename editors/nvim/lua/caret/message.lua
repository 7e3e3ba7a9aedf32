--- What a person is told in passing.

local M = {}

local REST = "… (:Caret log)"

--- Show it in one line, whatever its length: over more, the editor asks to press Enter, and whoever
--- types loses keys to that. What does not fit is in the log.
---@param text string
---@param level? integer
function M.show(text, level)
  local line, room = text:gsub("%s*\n%s*", " "), vim.v.echospace - 1
  if vim.fn.strdisplaywidth(line) > room then
    vim.lsp.log.warn(line)
    line = vim.fn.strcharpart(line, 0, room - #REST) .. REST
  end
  vim.notify(line, level)
end

return M
