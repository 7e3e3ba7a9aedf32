--- What `:Caret` does to the server itself: status, restart, pause, log, doctor, stats.

local client = require("caret.client")
local config = require("caret.config")
local message = require("caret.message")
local window = require("caret.window")

local M = {}

function M.status()
  client.execute("caret.status", nil, function(status)
    local parts = { "Caret: " .. status.state, status.model, status.message }
    message.show(table.concat(
      vim.tbl_filter(function(text)
        return text ~= ""
      end, parts),
      " · "
    ))
  end)
end

--- End the engine and start it anew; of all windows, for they share it.
function M.restart()
  client.execute("caret.restartEngine")
end

--- Suggestions off or on again, in every buffer.
---@param on boolean
local function enable(on)
  local running = client.running()
  if running then
    local wanted = { caret = { completion = { enable = on } } }
    running.settings = vim.tbl_deep_extend("force", running.settings or {}, wanted)
    client.notify(running, "workspace/didChangeConfiguration", { settings = running.settings })
  end
end

function M.pause()
  enable(false)
end

function M.resume()
  enable(true)
end

--- The editor's log of its language servers.
function M.log()
  local newer = vim.lsp.log.get_filename
  vim.cmd.split(vim.fn.fnameescape(newer and newer() or vim.lsp.get_log_path()))
  vim.cmd("normal! G")
end

function M.doctor()
  window.program(config.caret("doctor"))
end

function M.stats()
  window.program(config.caret("stats"))
end

return M
