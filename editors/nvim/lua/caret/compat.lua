--- What Neovim 0.10 writes otherwise.

local M = {}

local NEWER = vim.fn.has("nvim-0.11") == 1

---@param client vim.lsp.Client
---@param method string
---@param params table
---@param answer fun(failure: table?, result: any)
---@param buffer? integer
---@return boolean, integer? request Its number.
function M.request(client, method, params, answer, buffer)
  if NEWER then
    return client:request(method, params, answer, buffer)
  end
  return client.request(method, params, answer, buffer)
end

---@param client vim.lsp.Client
---@param request integer
function M.cancel(client, request)
  if NEWER then
    client:cancel_request(request)
  else
    client.cancel_request(request)
  end
end

---@param client vim.lsp.Client
---@param method string
---@param params table
function M.notify(client, method, params)
  if NEWER then
    client:notify(method, params)
  else
    client.notify(method, params)
  end
end

--- The byte column in `line` of a protocol column.
---@param line string
---@param character integer
---@param encoding string
---@return integer
function M.byte_column(line, character, encoding)
  if encoding == "utf-8" then
    return math.min(character, #line)
  elseif NEWER then
    return vim.str_byteindex(line, encoding, character, false)
  end
  local utf32, utf16 = vim.str_utfindex(line)
  local most = encoding == "utf-16" and utf16 or utf32
  return vim.str_byteindex(line, math.min(character, most), encoding == "utf-16")
end

--- The protocol's column of a byte column in `line`.
---@param line string
---@param byte integer
---@param encoding string
---@return integer
function M.column(line, byte, encoding)
  if encoding == "utf-8" then
    return byte
  elseif NEWER then
    return vim.str_utfindex(line, encoding, byte, false)
  end
  local utf32, utf16 = vim.str_utfindex(line, byte)
  return encoding == "utf-16" and utf16 or utf32
end

--- The length of `text` in UTF-16 code units.
---@param text string
---@return integer
function M.utf16_length(text)
  return M.column(text, #text, "utf-16")
end

return M
