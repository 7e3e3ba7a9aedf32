-- Loaded at start: the command, and suggestions wherever Caret's server is attached.
if vim.g.loaded_caret then
  return
end
vim.g.loaded_caret = true

local group = vim.api.nvim_create_augroup("caret", {})

vim.api.nvim_create_autocmd("LspAttach", {
  group = group,
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == "caret" then
      require("caret").attach(client, event.buf)
    end
  end,
})

vim.api.nvim_create_user_command("Caret", function(call)
  require("caret.command").run(call)
end, {
  nargs = "+",
  range = true,
  desc = "Caret: explain, fix, test, doc, ask, status …",
  complete = function(lead, line)
    return require("caret.command").complete(lead, line)
  end,
})
