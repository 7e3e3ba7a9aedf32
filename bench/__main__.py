"""`caret bench NAME`: each benchmark is a module of this package, imported when used."""

from __future__ import annotations

from bench.program import run_program
from lsp_server.lazy import LazyGroup, Row

BENCHMARKS = {
    "keystrokes": "Type in real files: key to answer, through the real language server.",
    "prefill": "Tokens a second while a prompt is read, by its length.",
    "decode": "Milliseconds a token while text is written, by the length before it.",
    "load": "From nothing to the first token: first start and second start.",
    "answers": "Typing while an answer streams, a second question, and stopping one.",
    "memory": "Memory after loading and after a long context; with a second editor.",
    "7b": "A Code Llama 7B in shape, with random weights: size, memory and speed.",
    "context": "Index a workspace, and what gathering from it makes a request wait.",
    "peer": "Say which llama.cpp is compared with, or how to install it.",
}
"""Name to one-line help; the long help stands in the benchmark's module."""
_MODULES = {"7b": "seven_b"}
_ROWS = {name: Row(text, f"bench.{_MODULES.get(name, name)}") for name, text in BENCHMARKS.items()}
_HELP = """\
Measure Caret beside llama.cpp: same machine, same weights, same run.

\b
Every benchmark prints both figures and their ratio (Caret / llama.cpp), with the machine,
the versions and the command. --json keeps everything that was measured.

Close what else computes: a busy machine is warned about, not corrected for.
`caret bench peer` says how to get llama.cpp; --no-peer measures Caret alone.
"""
bench = LazyGroup(_ROWS, _HELP, "Benchmarks")


if __name__ == "__main__":
    run_program(bench, "caret bench")
