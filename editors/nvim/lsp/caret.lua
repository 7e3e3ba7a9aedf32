-- What `vim.lsp.enable("caret")` starts (Neovim 0.11 and newer); `require("caret").setup` adds to it.
---@type vim.lsp.Config
return require("caret.config").server()
