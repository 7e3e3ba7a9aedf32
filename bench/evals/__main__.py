"""`caret eval TASK`: each evaluation is a command in a module of this package."""

from __future__ import annotations

from bench.program import run_program
from lsp_server.lazy import LazyGroup, Row

_HERE = __package__
EVALUATIONS = {
    "infill-single": Row(
        "HumanEval-Infilling, a line is missing: pass@1.", f"{_HERE}.infill", "single"
    ),
    "infill-multi": Row(
        "HumanEval-Infilling, lines are missing: pass@1.", f"{_HERE}.infill", "multi"
    ),
    "infill-random": Row(
        "HumanEval-Infilling, a random span is missing: pass@1.", f"{_HERE}.infill", "random_span"
    ),
    "humaneval": Row(
        "HumanEval: write functions, pass@1 and pass@k.", f"{_HERE}.functions", "humaneval_command"
    ),
    "mbpp": Row(
        "MBPP: write small programs, pass@1 and pass@k.", f"{_HERE}.functions", "mbpp_command"
    ),
    "fix": Row("HumanEvalPack: fix functions that have a bug, pass@1.", f"{_HERE}.fix"),
    "holes": Row("Lines and blocks cut out of real files: right, and harmless?", f"{_HERE}.holes"),
    "cross-file": Row("Holes that another file tells, with and without it.", f"{_HERE}.cross_file"),
    "safety": Row("Harmful requests refused, harmless ones not.", f"{_HERE}.safety"),
    "confidence": Row(
        "From kept records: precision against coverage, and a threshold.", f"{_HERE}.confidence"
    ),
}
"""Name to its command."""
_HELP = """\
Measure how often Caret is right, through the engine and the rules that users get.

\b
Each sample is kept as a line of a record; the same command goes on where it was ended.
The summary has 95 % confidence intervals, and --json keeps it.
--server measures a llama-server by the same samples and judges.

Code that a model wrote runs only in a sandbox; the summary says what keeps it in.
"""
evaluate = LazyGroup(EVALUATIONS, _HELP, "Evaluations")


if __name__ == "__main__":
    run_program(evaluate, "caret eval")
