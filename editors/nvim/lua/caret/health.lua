--- `:checkhealth caret`.

local config = require("caret.config")
local program = require("caret.program")

local M = {}

local function check_server()
  local command = config.caret("--version")
  local problem = program.problem(command[1])
  if problem then
    local example = 'install Caret, or name it: require("caret").setup({ cmd = { "/path/to/caret", "lsp" } })'
    vim.health.error(problem, example)
    return
  end
  local surroundings = vim.tbl_extend("error", program.surroundings(), { text = true })
  local ran = vim.system(command, surroundings):wait(10000)
  if ran.code == 0 then
    vim.health.ok(vim.trim(ran.stdout))
  else
    vim.health.error(("`%s` failed: %s"):format(table.concat(command, " "), vim.trim(ran.stderr or "")))
  end
end

local function check_clients()
  local clients = vim.lsp.get_clients({ name = "caret" })
  if #clients == 0 then
    vim.health.warn("no server is running", 'require("caret").setup() starts it at the next file')
  end
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_count(client.attached_buffers)
    vim.health.ok(("server %d is attached to %d buffers; columns count %s"):format(client.id, buffers, client.offset_encoding))
  end
end

function M.check()
  vim.health.start("Caret")
  if vim.fn.has("nvim-0.10") == 0 then
    vim.health.error("Neovim 0.10 or newer is needed")
    return
  end
  vim.health.info("suggestions are shown by " .. (config.values.builtin and "the editor itself" or "Caret's own ghost text"))
  check_server()
  check_clients()
end

return M
