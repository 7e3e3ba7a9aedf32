--- The text around the caret: what a suggestion adds there, and inserting it.

local api = vim.api

local M = {}

---@type fun()?
local waiting

--- Do something when the mapping is over that calls this, which may not change text itself, and before
--- the keys that were typed behind it.
---@param does fun()
function M.afterwards(does)
  waiting = does
  api.nvim_feedkeys(vim.keycode('<Cmd>lua require("caret.buffer").run()<CR>'), "in", false)
end

--- Do what waits; called by the key that `afterwards` feeds.
function M.run()
  local does = waiting
  waiting = nil
  if does then
    does()
  end
end

--- Text of the server's with the line ends that a buffer has inside: the server writes those of the
--- file, which are the editor's to write.
---@param text string
---@return string
function M.plain(text)
  return (text:gsub("\r\n?", "\n"))
end

--- The items of an answer, their texts as a buffer has them.
---@param result any
---@return table[]
function M.items(result)
  local items = type(result) == "table" and (result.items or result) or {}
  for _, item in ipairs(items) do
    item.insertText = M.plain(item.insertText)
  end
  return items
end

--- The text's version and the caret: what a request is for. An answer counts while this is as it was.
---@return string
function M.place()
  local row, column = unpack(api.nvim_win_get_cursor(0))
  return ("%d %d %d %d"):format(api.nvim_get_current_buf(), vim.b.changedtick, row, column)
end

--- Insert at the caret as an undo step of its own, and move the caret behind it.
---@param text string
function M.insert(text)
  local row, column = unpack(api.nvim_win_get_cursor(0))
  -- In a file with line ends of both kinds, those of Windows are text to the editor.
  local mixed = vim.bo.fileformat == "unix" and vim.endswith(api.nvim_get_current_line(), "\r")
  local lines = vim.split(mixed and text:gsub("\n", "\r\n") or text, "\n", { plain = true })
  vim.bo.undolevels = vim.bo.undolevels -- begins a new undo step
  api.nvim_buf_set_text(0, row - 1, column, row - 1, column, lines)
  local behind = #lines == 1 and column + #text or #lines[#lines]
  api.nvim_win_set_cursor(0, { row + #lines - 1, behind })
end

--- What the suggestion adds at the caret; nil when the text before the caret is not its beginning, or
--- nothing can be inserted there.
---@param row integer Of the range's start, from 0.
---@param column integer Byte column of the range's start.
---@param text string The suggestion, from there on.
---@return string?
function M.rest(row, column, text)
  local caret = api.nvim_win_get_cursor(0)
  local down = caret[1] - 1 - row
  if down < 0 or down > select(2, text:gsub("\n", "")) or (down == 0 and caret[2] < column) then
    return nil
  end
  local first = api.nvim_buf_get_lines(0, row, row + 1, false)[1]
  local beyond = vim.fn.getcurpos()[4] > 0 -- behind the line's end, by 'virtualedit'
  if not first or #first < column or beyond or not vim.bo.modifiable then
    return nil
  end
  local typed = M.plain(table.concat(api.nvim_buf_get_text(0, row, column, caret[1] - 1, caret[2], {}), "\n"))
  if #typed >= #text or not vim.startswith(text, typed) then
    return nil
  end
  return text:sub(#typed + 1)
end

return M
