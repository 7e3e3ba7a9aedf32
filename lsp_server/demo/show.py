"""The demo on a terminal: each completion in its place, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

if TYPE_CHECKING:
    from lsp_server.demo.client import Answer
    from lsp_server.demo.samples import Sample

_LINES_BEFORE = 6
_LINES_AFTER = 4


def completed(sample: Sample, answer: Answer | None, *, colour: bool) -> Panel:
    """The lines around the caret, with the completion standing out."""
    where = f"{sample.file}:{sample.line + 1}:{sample.column + 1}"
    title = Text.assemble((sample.language, "bold"), "  ", (where, "dim"))
    if answer is None:
        body, cost = Text("no completion", "bold red"), Text()
    else:
        body, cost = _in_place(sample, answer, colour=colour), Text(speed(answer), "cyan")
    return Panel(body, title=title, title_align="left", subtitle=cost, subtitle_align="right")


def _in_place(sample: Sample, answer: Answer, *, colour: bool) -> Text:
    before = sample.text[: answer.start].split("\n")[-_LINES_BEFORE - 1 :]
    after = sample.text[answer.end :].split("\n")[: _LINES_AFTER + 1]
    middle = answer.text if colour else f"⟦{answer.text}⟧"
    return Text.assemble(
        ("\n".join(before).lstrip("\n"), "dim"),
        (middle, "bold green"),
        ("\n".join(after).rstrip(), "dim"),
    )


def speed(answer: Answer) -> str:
    """Such as "912 ms · 23 tokens · 31.2 tokens/s".

    The time is all that an editor waits. The rate is that of decoding: the first token comes out
    of reading the prompt, so it counts one token less.
    """
    parts = [f"{answer.ms:.0f} ms"]
    tokens, decoding = answer.usage.get("completion_tokens", 0), answer.usage.get("decode_ms", 0)
    if tokens > 1 and decoding > 0:
        parts += [f"{tokens:.0f} tokens", f"{(tokens - 1) / decoding * 1000:.1f} tokens/s"]
    return " · ".join(parts)


def next_steps(caret: str) -> Group:
    """How to go on, with this installation's own command filled in."""
    neovim = f"""\
vim.lsp.config("caret", {{ cmd = {{ "{caret}", "lsp" }} }})
vim.lsp.enable("caret")
vim.lsp.inline_completion.enable()
vim.keymap.set("i", "<Tab>", function()
  return vim.lsp.inline_completion.get() and "" or "<Tab>"
end, {{ expr = true }})"""
    return Group(
        Text("\nNext: Caret in your editor", "bold"),
        Text(f"Any editor with a language client: let it start `{caret} lsp`."),
        Text("Neovim 0.12, in init.lua (Tab accepts):"),
        Text(neovim, "green"),
        Text("Other editors: docs/editors.md. This machine: `caret doctor`."),
    )


def console() -> Console:
    """Standard output; wide enough for code even where there is no terminal."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=100)
