"""`caret bench decode`: how fast text is written, and how near that is to what memory allows."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from bench.home import private_home
from bench.llama_server import flags
from bench.ours import PLAIN
from bench.pair import known, open_pair
from bench.plot import draw_by_length
from bench.report import Figure
from bench.run import benchmark_options
from bench.weights import reading

if TYPE_CHECKING:
    from bench.llama_server import LlamaServer
    from bench.ours import Engine
    from bench.pair import Pair
    from bench.run import Run
    from bench.weights import Reading


@dataclass(frozen=True, slots=True)
class Step:
    """Milliseconds a token behind a prompt; None where nothing was written."""

    plain: float | None
    served: float | None
    """With speculation, where the engine speculates."""
    peer: float | None


@click.command("decode")
@benchmark_options(plot=True)
@click.option(
    "--contexts",
    multiple=True,
    type=click.IntRange(2, 8000),
    help="Tokens before the first one written; may be given again.  [default: 200 1024 4096]",
)
@click.option("--tokens", type=click.IntRange(2), default=48, show_default=True, help="To write.")
def command(run: Run, contexts: tuple[int, ...], tokens: int) -> None:
    r"""Milliseconds a token while text is written, by the length of what stands before.

    Both sides go on from the same texts, Caret's own sources, through their own servers. The
    first token comes out of reading the prompt and does not count.

    \b
    plain     one token a pass, asked for without drafts
    served    as a completion is written: where drafts are right, several tokens a step
    of the read speed
              bytes of weights that a token reads, by the time it took, as a share of the speed
              at which this machine reads memory (measured: a sum of 128 MB)

    --quick writes behind 200 tokens only.
    """
    contexts = contexts or ((200,) if run.quick else (200, 1024, 4096))
    with run.measuring(), private_home():
        run.say("counting the bytes of a token")
        bound = reading(run.model.path, lambda done, of: run.say(f"counting: {done} of {of}"))
        steps = asyncio.run(_measure(run, contexts, tokens))
    run.finish(
        "decode",
        [*_figures(contexts, steps), *_bounds(bound, steps[0])],
        data={
            "x": "tokens before",
            "y": "ms/token, plain",
            "lengths": contexts,
            "caret": [step.plain for step in steps],
            "served": [step.served for step in steps],
            "peer": known([step.peer for step in steps]),
            "reading": asdict(bound),
        },
        notes=[f"{tokens} tokens are written behind each prompt, or up to the model's own end."],
        flags=flags(),
        draw=draw_by_length,
    )


def _figures(contexts: tuple[int, ...], steps: list[Step]) -> list[Figure]:
    named = list(zip(contexts, steps, strict=True))
    return [
        *(Figure(f"plain, {n} before", step.plain, step.peer, "ms/token") for n, step in named),
        *(Figure(f"served, {n} before", step.served, step.peer, "ms/token") for n, step in named),
    ]


def _bounds(bound: Reading, step: Step) -> list[Figure]:
    """What a token reads, and how fast it did behind the shortest prompt."""
    ours, peer = bound.share(bound.ours, step.plain), bound.share(bound.file, step.peer)
    file = None if step.peer is None else bound.file / 1e6
    speed = bound.gigabytes_per_second
    return [
        Figure("weights read for a token", bound.ours / 1e6, file, "MB"),
        Figure("read speed of this machine", speed, None, "GB/s", less_is_better=False),
        Figure("of the read speed, plain", ours, peer, "%", less_is_better=False),
    ]


async def _measure(run: Run, contexts: tuple[int, ...], tokens: int) -> list[Step]:
    async with open_pair(run) as pair:
        steps = []
        for context in contexts:
            run.say(f"behind {context} tokens")
            steps.append(await _step(pair, pair.texts.take(context), tokens))
    return steps


async def _step(pair: Pair, prompt: str, tokens: int) -> Step:
    name = pair.run.model.name
    ours, peer = await pair.both(
        lambda engine: _caret(engine, name, prompt, tokens),
        lambda server: _llama(server, prompt, tokens),
    )
    return Step(ours[0], ours[1], peer[0] if peer else None)


async def _caret(
    engine: Engine, model: str, prompt: str, tokens: int
) -> tuple[float | None, float | None]:
    plain = (await engine.write(model, prompt, tokens, PLAIN)).usage
    served = (await engine.write(model, prompt, tokens)).usage  # the prompt is cached by now
    return _each(plain.decode_ms, plain.completion_tokens), _each(
        served.decode_ms, served.completion_tokens
    )


async def _llama(
    server: LlamaServer, prompt: str, tokens: int
) -> tuple[float | None, float | None]:
    answer = await server.write(prompt, tokens)
    each = _each(answer.decode_ms, answer.tokens)
    return each, each


def _each(ms: float, tokens: int) -> float | None:
    """Of all but the first."""
    return ms / (tokens - 1) if tokens > 1 else None
