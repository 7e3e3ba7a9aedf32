--- Parts of a suggestion: what is accepted at once.

local M = {}

---@alias caret.Part "all"|"word"|"line"

local WORD = "[%w_\128-\255]"
local SIGN = "[^%w_\128-\255%s]"

--- The first part of `text`, never empty: a word or a run of signs with the white space before it,
--- or the text up to a line's end.
---@param text string
---@param part caret.Part
---@return string
function M.first(text, part)
  if part == "word" then
    return text:match("^%s*" .. WORD .. "+") or text:match("^%s*" .. SIGN .. "+") or text
  end
  return part == "line" and text:match("^\n*[^\n]*") or text
end

return M
