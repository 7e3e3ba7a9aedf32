"""`python -m lsp_server` is `caret`."""

from lsp_server.cli import main

main()
