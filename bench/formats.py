"""The format report: `python -m bench.formats MODEL`, or `caret quantize MODEL --report`.

For each format that runs on this machine's processor: bytes, agreement with float32 on code, and
speed. The figures go to a JSON file, from which docs/formats.md and its picture are made.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import torch

from bench.agreement import Reference, held_code
from bench.formats_page import FIGURES, draw, table
from bench.machine import machine
from bench.weights import held
from engine.generate import PREFILL_CHUNK
from engine.load import build_decoder, size_of
from engine.models import find
from engine.planner import Machine, Wish, plan
from engine.quantize import opened
from engine.tokenizers import open_tokenizer
from lsp_server.lazy import run_command
from quant.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.checkpoint import Checkpoint
    from engine.decoder import Decoder
    from engine.planner import Size

Figures = dict[str, Any]

PREFILL, DECODE = 512, 32
"""Tokens whose speed is measured; decoding goes on behind a prefill."""


@click.command()
@click.argument("model")
@click.option("--format", "names", multiple=True, help="Only these, and float32.")
@click.option("--tokens", default=3072, show_default=True, help="Of code to compare on.")
@click.option("--json", "file", type=click.Path(path_type=Path), default=FIGURES)
def main(model: str, names: tuple[str, ...], tokens: int, file: Path) -> None:
    """Measure the formats of MODEL; takes minutes, and memory for it in float32."""
    known = json.loads(file.read_text("utf-8")) if file.exists() else {}
    file.parent.mkdir(parents=True, exist_ok=True)
    for report in measure(model, names or tuple(FORMATS), tokens):
        known[report["model"]] = report
        file.write_text(json.dumps(known, indent=1) + "\n", "utf-8")
    draw(known, file.with_suffix(".svg"))
    click.echo(table(report))


def measure(spec: str, names: tuple[str, ...], tokens: int) -> Iterator[Figures]:
    """The figures of one model, again after each format: the slow ones need not be waited for.

    Raises:
        CaretError: There is no such model, or no room for it in float32.
    """
    entry, checkpoint = find(spec), opened(spec)
    size = size_of(entry.name, checkpoint)
    plan(size, Machine.here(), Wish("float32", "cpu"))
    texts = held_code(open_tokenizer(entry.path), tokens)
    found: dict[str, Figures] = {}
    report = {
        "model": entry.name,
        "machine": f"{machine()['processor']}, {torch.get_num_threads()} threads",
        "file_bits": size.stored_bits,
        "tokens": sum(len(text) - 1 for text in texts),
        "formats": found,
    }
    with tempfile.TemporaryDirectory() as folder:
        model = _load(checkpoint, "float32")
        reference = Reference(model, texts, Path(folder) / "float32")
        found["float32"] = _figures(model, reference, size)
        yield report
        for name in names:
            if name != "float32" and "cpu" in FORMATS[name].devices:
                del model  # before the next one comes
                model = _load(checkpoint, name)
                found[name] = _figures(model, reference, size)
                yield report


def _load(checkpoint: Checkpoint, name: str) -> Decoder:
    assert checkpoint.config is not None
    click.echo(f"{name} ...", err=True)
    return build_decoder(checkpoint.config, checkpoint.source, FORMATS[name], lambda *_: None)


def _figures(model: Decoder, reference: Reference, size: Size) -> Figures:
    taken = held(model)
    bits = 8 * taken / (size.matrices + (0 if size.tied else size.table))
    agreement = reference.compare(model)
    prefill, decode = speed(model)
    speeds = {"prefill_per_s": prefill, "decode_per_s": decode}
    return {"bytes": taken, "bits": bits, **asdict(agreement), **speeds}


def speed(model: Decoder) -> tuple[float, float]:
    """Tokens a second of prefill in chunks, and of decoding one by one (median) behind it."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(model.vocab_size, (PREFILL + DECODE,), generator=generator)
    model.forward(tokens[:PREFILL_CHUNK], model.new_cache(PREFILL))  # warm
    cache = model.new_cache(len(tokens))
    start = time.perf_counter()
    for chunk in torch.split(tokens[:PREFILL], PREFILL_CHUNK):
        model.forward(chunk, cache)
    prefill = PREFILL / (time.perf_counter() - start)
    steps = []
    for token in torch.split(tokens[PREFILL:], 1):
        start = time.perf_counter()
        model.forward(token, cache)
        steps.append(time.perf_counter() - start)
    return prefill, 1 / statistics.median(steps)


if __name__ == "__main__":
    run_command(main, "caret quantize")
