"""The `caret` command. Each subcommand is a module of `lsp_server.commands`, imported when used."""

from __future__ import annotations

import click

from lsp_server import __version__
from lsp_server.lazy import LazyGroup, Row, run_command

COMMANDS = {
    "lsp": "Run the language server (editors start this).",
    "complete": "Complete code at FILE:LINE:COL.",
    "explain": "Explain code.",
    "fix": "Correct code.",
    "test": "Write tests.",
    "doc": "Write the comment of a function or class.",
    "ask": "Answer a question about the project in this folder.",
    "debug": "Explain what made a program fail, from its output.",
    "models": "List the models that Caret knows and which are on disk.",
    "pull": "Download a model.",
    "trust": "Say which servers code and API keys may go to.",
    "engine": "Run the engine in the foreground.",
    "doctor": "Check this machine and say which model and format fit it.",
    "quantize": "Pack a model's weights ahead of time, or measure the formats.",
    "stats": "Tell what became of suggestions, from numbers kept on this machine.",
    "demo": "Complete a sample in seven languages through the real server.",
    "bench": "Measure Caret beside llama.cpp, on the same machine and weights.",
    "eval": "Measure how often Caret is right, by published and own evaluations.",
}
"""Name to one-line help; the long help stands in the command's module."""
_ANSWERED = ("explain", "fix", "test", "doc", "ask", "debug")
"""They share a module."""
_FOLDER = "lsp_server.commands"
_ROWS = {
    name: Row(text, f"{_FOLDER}.instruct", name)
    if name in _ANSWERED
    else Row(text, f"{_FOLDER}.{name}")
    for name, text in COMMANDS.items()
}
_HELP = "Code completion at the caret, and answers about code, by models on your own machine."

caret = click.version_option(__version__)(LazyGroup(_ROWS, _HELP))


def main() -> None:
    """Run the command line; exit codes: 0 done, 1 failed, 2 wrong usage."""
    run_command(caret, "caret")
