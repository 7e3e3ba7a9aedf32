"""`caret bench prefill`: how fast a prompt is read."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import click

from bench.home import private_home
from bench.llama_server import flags
from bench.pair import known, open_pair
from bench.plot import draw_by_length
from bench.report import Figure
from bench.run import benchmark_options

if TYPE_CHECKING:
    from bench.llama_server import LlamaServer
    from bench.ours import Engine
    from bench.run import Run

_AT_LEAST = 512
"""Tokens read for one figure; a longer prompt is read once."""


@click.command("prefill")
@benchmark_options(plot=True)
@click.option(
    "--lengths",
    multiple=True,
    type=click.IntRange(2, 8000),
    help="Tokens of a prompt; may be given again.  [default: 128 256 512 1024 2048 4096]",
)
def command(run: Run, lengths: tuple[int, ...]) -> None:
    """Tokens a second while a prompt is read, by its length.

    Both sides read the same texts, Caret's own sources, through their own servers, in the chunks
    that they serve with; none was read before. The clocks are the servers' own, so HTTP and the
    tokenizer do not count. A short prompt is read several times with other text each time.

    --quick reads 128 and 512 tokens only.
    """
    lengths = lengths or ((128, 512) if run.quick else (128, 256, 512, 1024, 2048, 4096))
    with run.measuring(), private_home():
        rates = asyncio.run(_measure(run, lengths))
    run.finish(
        "prefill",
        [
            Figure(f"{length} tokens", ours, peer, "tokens/s", less_is_better=False)
            for length, (ours, peer) in zip(lengths, rates, strict=True)
        ],
        data={
            "x": "tokens of the prompt",
            "y": "tokens/s",
            "lengths": lengths,
            "caret": [ours for ours, _ in rates],
            "peer": known([peer for _, peer in rates]),
        },
        flags=flags(),
        draw=draw_by_length,
    )


async def _measure(run: Run, lengths: tuple[int, ...]) -> list[tuple[float, float | None]]:
    """Tokens a second for each length, Caret's and the peer's."""
    rates = []
    async with open_pair(run) as pair:
        for number, length in enumerate(lengths):
            run.say(f"{length} tokens ({number + 1} of {len(lengths)})")
            texts = [pair.texts.take(length) for _ in range(max(1, _AT_LEAST // length))]
            rates.append(
                await pair.both(
                    partial(_caret, model=run.model.name, texts=texts),
                    partial(_llama, texts=texts),
                )
            )
    return rates


async def _caret(engine: Engine, model: str, texts: list[str]) -> float:
    costs = [(await engine.write(model, text, max_tokens=1)).usage for text in texts]
    tokens = sum(cost.prompt_tokens - cost.cached_tokens for cost in costs)
    return tokens / sum(cost.prefill_ms for cost in costs) * 1000


async def _llama(server: LlamaServer, texts: list[str]) -> float:
    answers = [await server.write(text, max_tokens=1) for text in texts]
    tokens = sum(answer.prompt_tokens for answer in answers)
    return tokens / sum(answer.prompt_ms for answer in answers) * 1000
