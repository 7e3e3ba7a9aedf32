--- An edit that is shown as a diff and made when the user agrees.

local api = vim.api
local message = require("caret.message")

local M = {}

--- What an edit changes in each buffer, and which version of the text it is for.
---@param edit table A WorkspaceEdit.
---@return table<integer, { edits: table[], version: any }>
local function by_buffer(edit)
  local found = {}
  for uri, edits in pairs(edit.changes or {}) do
    found[vim.uri_to_bufnr(uri)] = { edits = edits }
  end
  for _, change in ipairs(edit.documentChanges or {}) do
    if change.textDocument then
      local document = change.textDocument
      found[vim.uri_to_bufnr(document.uri)] = { edits = change.edits, version = document.version }
    end
  end
  return found
end

--- Note which texts an edit is for when its answer comes: what is typed after that, or was on its way to
--- the server, makes it one for another text.
---@param edit table A WorkspaceEdit.
---@return table<integer, integer> ticks Versions by buffer, of those that are loaded.
function M.ticks(edit)
  local found = {}
  for buffer, change in pairs(by_buffer(edit)) do
    if api.nvim_buf_is_loaded(buffer) then
      local sent = vim.lsp.util.buf_versions[buffer]
      local old = type(change.version) == "number" and sent and sent > change.version
      found[buffer] = old and 0 or api.nvim_buf_get_changedtick(buffer)
    end
  end
  return found
end

---@param buffer integer
---@param edits table[]
---@param encoding string
---@return string
local function diff(buffer, edits, encoding)
  vim.fn.bufload(buffer)
  local before = api.nvim_buf_get_lines(buffer, 0, -1, false)
  local copy = api.nvim_create_buf(false, true)
  api.nvim_buf_set_lines(copy, 0, -1, false, before)
  vim.lsp.util.apply_text_edits(edits, copy, encoding)
  local after = api.nvim_buf_get_lines(copy, 0, -1, false)
  api.nvim_buf_delete(copy, { force = true })
  local name = vim.fn.fnamemodify(api.nvim_buf_get_name(buffer), ":.")
  local differ = vim.text.diff or vim.diff -- the newer name of 0.12
  local changed = differ(table.concat(before, "\n") .. "\n", table.concat(after, "\n") .. "\n", { ctxlen = 3 })
  return ("--- %s\n+++ %s\n%s"):format(name, name, changed)
end

--- Why an edit cannot be made any more, as it was shown; nil if it can.
---@param ticks table<integer, integer> Versions of the texts that it was shown for, by buffer.
---@return string?
local function obstacle(ticks)
  for buffer, tick in pairs(ticks) do
    if not api.nvim_buf_is_loaded(buffer) or api.nvim_buf_get_changedtick(buffer) ~= tick then
      return "the code has changed since the answer; ask again"
    elseif not vim.bo[buffer].modifiable then
      return "this text cannot be changed ('modifiable' is off)"
    end
  end
end

---@param problem string
local function tell(problem)
  message.show(("Caret: %s"):format(problem), vim.log.levels.WARN)
end

--- Make an edit, and have what it changed on the screen: the editor keeps other files hidden.
---@param edit table A WorkspaceEdit.
---@param encoding string
local function apply(edit, encoding)
  vim.lsp.util.apply_workspace_edit(edit, encoding)
  for buffer in pairs(by_buffer(edit)) do
    if #vim.fn.win_findbuf(buffer) == 0 then
      vim.cmd.sbuffer(buffer)
    end
  end
end

--- Show what an edit changes. `a` makes it, as one step of undo; `q` does not.
---@param edit table A WorkspaceEdit.
---@param encoding string
---@param name string What it is called.
---@param ticks table<integer, integer> What `ticks` said when the answer came.
function M.show(edit, encoding, name, ticks)
  local stale = obstacle(ticks)
  if stale then
    tell(stale)
    return
  end
  local text = {}
  for buffer, change in pairs(by_buffer(edit)) do
    table.insert(text, diff(buffer, change.edits, encoding))
    ticks[buffer] = api.nvim_buf_get_changedtick(buffer)
  end
  local shown = api.nvim_create_buf(false, true)
  api.nvim_buf_set_lines(shown, 0, -1, false, vim.split(vim.trim(table.concat(text)), "\n", { plain = true }))
  vim.bo[shown].bufhidden, vim.bo[shown].filetype, vim.bo[shown].modifiable = "wipe", "diff", false
  vim.cmd("botright split")
  api.nvim_win_set_buf(0, shown)
  vim.wo.winbar = ("Caret: %s · a applies, q does not"):format(name)
  vim.keymap.set("n", "q", "<Cmd>bwipeout<CR>", { buffer = shown, nowait = true, desc = "Caret: leave it" })
  vim.keymap.set("n", "a", function()
    vim.cmd.bwipeout()
    local problem = obstacle(ticks)
    if problem then
      tell(problem)
    else
      apply(edit, encoding)
    end
  end, { buffer = shown, nowait = true, desc = "Caret: make this change" })
end

return M
