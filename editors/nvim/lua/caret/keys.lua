--- Keys in insert mode that leave to others what is theirs.

local config = require("caret.config")

local M = {}

local OURS = "Caret: "
local EDITORS = "vim.snippet.jump" -- what 0.11 maps Tab to by itself, for snippets alone

--- Whether a menu is open that is not the editor's own.
---@return boolean
local function menu()
  local blink, cmp = package.loaded["blink.cmp"], package.loaded["cmp"]
  return (blink and blink.is_menu_visible and blink.is_menu_visible()) or (cmp and cmp.visible()) or false
end

--- Whether no other plugin has put its mapping before ours. One that did, as nvim-cmp and blink.cmp
--- do when typing begins, passes on what it does not want.
---@param key string
local function first(key)
  return vim.startswith(vim.fn.maparg(key, "i", false, true).desc or "", OURS)
end

--- Whether the key is for what is open: a menu, or a snippet with a place to go to.
---@param key string
---@param before table The mapping that was there, as from `maparg`; empty where there was none.
---@return boolean
local function theirs(key, before)
  local mapped = next(before) ~= nil
  if vim.fn.pumvisible() == 1 or vim.snippet.active({ direction = 1 }) then
    return mapped or key:lower() == "<tab>"
  end
  return mapped and not vim.startswith(before.desc or "", EDITORS) and menu() and first(key)
end

--- Have what the key did before under another name: a mapping, or the key itself.
---@param name string
---@param key string
---@param before table
local function keep(name, key, before)
  if not next(before) then
    vim.keymap.set("i", name, key, { buffer = true })
    return
  end
  local kept = { lhs = name, lhsraw = vim.keycode(name), buffer = 1 }
  vim.fn.mapset("i", false, vim.tbl_extend("force", before, kept))
end

--- Map a key in the current buffer, once: another plugin may have wrapped ours, and would call itself.
---@param key string
---@param what string
---@param does fun(): boolean False where there was nothing to do.
local function map(key, what, does)
  local name = "<Plug>(caret-otherwise-" .. key:gsub("[<>]", "") .. ")"
  if next(vim.fn.maparg(name, "i", false, true)) then
    return
  end
  local before = vim.fn.maparg(key, "i", false, true)
  keep(name, key, before)
  vim.keymap.set("i", key, function()
    if theirs(key, before) or not does() then
      -- Fed and not returned: what wraps this mapping may take an answer literally.
      vim.api.nvim_feedkeys(vim.keycode(name), "im", false)
    end
    return ""
  end, { buffer = true, expr = true, remap = true, desc = OURS .. what })
end

--- Map the configured keys in a buffer; `does` has a function of each name that returns false
--- where there was nothing to do.
---@param buffer integer
---@param does table<string, fun(): boolean>
function M.map(buffer, does)
  vim.api.nvim_buf_call(buffer, function()
    for name, key in pairs(config.values.keys) do
      if key then
        map(key, name, does[name])
      end
    end
  end)
end

return M
