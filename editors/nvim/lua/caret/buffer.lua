--- The text around the caret: what a suggestion adds there, and inserting it.

local api = vim.api

local M = {}

--- Insert at the caret as an undo step of its own, and move the caret behind it.
---@param text string
function M.insert(text)
  local row, column = unpack(api.nvim_win_get_cursor(0))
  local lines = vim.split(text, "\n", { plain = true })
  vim.bo.undolevels = vim.bo.undolevels -- begins a new undo step
  api.nvim_buf_set_text(0, row - 1, column, row - 1, column, lines)
  local behind = #lines == 1 and column + #text or #lines[#lines]
  api.nvim_win_set_cursor(0, { row + #lines - 1, behind })
end

--- What the suggestion adds at the caret; nil when the text before the caret is not its beginning.
---@param buffer integer
---@param row integer Of the range's start, from 0.
---@param column integer Byte column of the range's start.
---@param text string The suggestion, from there on.
---@return string?
function M.rest(buffer, row, column, text)
  local caret = api.nvim_win_get_cursor(0)
  if caret[1] - 1 ~= row or caret[2] < column then
    return nil
  end
  local line = api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] or ""
  local typed = line:sub(column + 1, caret[2])
  if #typed >= #text or not vim.startswith(text, typed) then
    return nil
  end
  return text:sub(#typed + 1)
end

return M
