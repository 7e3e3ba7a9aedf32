--- Keys in insert mode that leave to others what is theirs.

local config = require("caret.config")

local M = {}

--- Whether a popup menu or a snippet wants the key.
---@return boolean
local function taken()
  local blink, cmp = package.loaded["blink.cmp"], package.loaded["cmp"]
  return vim.fn.pumvisible() == 1
    or (blink and blink.is_menu_visible and blink.is_menu_visible())
    or (cmp and cmp.visible())
    or (vim.snippet and vim.snippet.active({ direction = 1 }))
    or false
end

--- What the key did before: the mapping that was there, under another name, or the key itself.
---@param key string
---@param buffer integer
---@return string
local function fallback(key, buffer)
  local name = "<Plug>(caret-otherwise-" .. key:gsub("[<>]", "") .. ")"
  local before = vim.fn.maparg(key, "i", false, true)
  if not next(before) then
    vim.keymap.set("i", name, key, { buffer = buffer })
  elseif not vim.startswith(before.desc or "", "Caret: ") then
    local expression = before.expr == 1
    vim.keymap.set("i", name, before.callback or before.rhs:gsub("<SID>", ("<SNR>%d_"):format(before.sid)), {
      buffer = buffer,
      expr = expression,
      remap = before.noremap == 0,
      silent = before.silent == 1,
      replace_keycodes = expression and before.replace_keycodes == 1 or nil,
    })
  end
  return name
end

--- Map the configured keys in a buffer; `does` has a function of each name that returns false
--- where there was nothing to do.
---@param buffer integer
---@param does table<string, fun(): boolean>
function M.map(buffer, does)
  for name, key in pairs(config.values.keys) do
    if key then
      vim.api.nvim_buf_call(buffer, function()
        local otherwise = fallback(key, buffer)
        vim.keymap.set("i", key, function()
          return not taken() and does[name]() and "" or otherwise
        end, { buffer = buffer, expr = true, remap = true, desc = "Caret: " .. name })
      end)
    end
  end
end

return M
