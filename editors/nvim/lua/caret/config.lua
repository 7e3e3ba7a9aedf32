--- What the user set, and the server's configuration that follows from it.

local program = require("caret.program")

local M = {}

---@class caret.Config
---@field cmd string[] The server's command.
---@field settings table The section `caret`, as docs/settings.md lists it.
---@field filetypes? string[] Where to start; everywhere when nil.
---@field root_markers string[]
---@field builtin boolean Suggestions by the editor's own `vim.lsp.inline_completion`.
---@field answer "float"|"split" Where explanations appear.
---@field keys table<string, string|false> Keys in insert mode; false for none.
M.values = {
  cmd = { "caret", "lsp" },
  settings = {},
  filetypes = nil,
  root_markers = { ".git" },
  answer = "split",
  builtin = vim.lsp.inline_completion ~= nil,
  keys = {
    accept = "<Tab>",
    accept_word = "<M-w>",
    accept_line = "<M-l>",
    next = "<M-]>",
    previous = "<M-[>",
    dismiss = "<C-]>",
    trigger = "<M-Bslash>",
  },
}

--- Take the user's options; wrong ones are shown, and left out.
---@param options? table
function M.merge(options)
  for name, value in pairs(options or {}) do
    local known = M.values[name] ~= nil or name == "filetypes"
    local fits = M.values[name] == nil or type(value) == type(M.values[name])
    if known and fits then
      local both = type(value) == "table" and not vim.islist(value)
      M.values[name] = both and vim.tbl_deep_extend("force", M.values[name], value) or value
    else
      local why = known and "has the wrong type" or "is unknown"
      vim.notify(("caret: the option %s %s; see :help caret-setup"):format(name, why), vim.log.levels.WARN)
    end
  end
end

--- Another command of the program whose command `lsp` is the server.
---@param name string
---@return string[]
function M.caret(name)
  local command = program.command(M.values.cmd)
  for index, word in ipairs(command) do
    if word == "lsp" then
      return vim.list_extend(vim.list_slice(command, 1, index - 1), { name })
    end
  end
  return { command[1], name }
end

--- What `vim.lsp.config` takes.
---@return table
function M.server()
  local surroundings = program.surroundings()
  return {
    cmd = program.command(M.values.cmd),
    cmd_cwd = surroundings.cwd,
    cmd_env = surroundings.env,
    capabilities = {
      -- Told this, which 0.11 does not tell by itself, the server keeps out of completion menus.
      textDocument = { inlineCompletion = { dynamicRegistration = false } },
      -- What most servers count in: of two that count otherwise in a buffer, other plugins complain.
      general = { positionEncodings = { "utf-16" } },
    },
    on_exit = vim.schedule_wrap(function(_, _, server)
      require("caret.assist").ended(server)
    end),
    filetypes = M.values.filetypes,
    root_markers = M.values.root_markers,
    init_options = next(M.values.settings) and M.values.settings or vim.empty_dict(),
    settings = { caret = next(M.values.settings) and M.values.settings or vim.empty_dict() },
  }
end

--- Start the server for a buffer where the editor cannot do it by itself (Neovim 0.10).
---@param buffer integer
function M.start(buffer)
  local wanted = M.values.filetypes
  if vim.bo[buffer].buftype ~= "" or (wanted and not vim.list_contains(wanted, vim.bo[buffer].filetype)) then
    return
  end
  local server = M.server()
  server.name = "caret"
  server.capabilities = vim.tbl_deep_extend("force", vim.lsp.protocol.make_client_capabilities(), server.capabilities)
  server.root_dir = vim.fs.root(buffer, M.values.root_markers)
  vim.lsp.start(server, {
    bufnr = buffer,
    reuse_client = function(client, config) -- files outside of any project share one too
      return client.name == config.name and client.root_dir == config.root_dir
    end,
  })
end

return M
