"""One module a subcommand of `caret`, each with a click command named `command`."""
