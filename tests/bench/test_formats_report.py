"""The format report: its figures on real weights and on made ones."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch

from bench import formats_page
from bench.agreement import Reference

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from engine.kvcache import CausalLM


class Scripted:
    """A model of three tokens that says the same of every one."""

    vocab_size, context_length = 3, 512

    def __init__(self, *probabilities: float) -> None:
        self.logits = torch.tensor(probabilities).log()

    def new_cache(self, capacity: int) -> object:
        return object()

    def forward(self, tokens: Tensor, cache: object, last: int = 1) -> Tensor:
        return self.logits.expand(last, 3) + 5  # logits are no log probabilities yet


def says(*probabilities: float) -> CausalLM:
    return Scripted(*probabilities)  # type: ignore[return-value]  # it has what is used


TEXTS = [torch.tensor([0, 1, 1, 0]), torch.arange(300) % 2]


def test_agreement_of_known_distributions(tmp_path: Path) -> None:
    reference = Reference(says(0.5, 0.25, 0.25), TEXTS, tmp_path / "said")
    assert reference.said.shape == (3 + 299, 3)
    same = reference.compare(says(0.5, 0.25, 0.25))
    assert same.divergence == pytest.approx(0, abs=1e-6)
    assert same.top1 == 1
    other = reference.compare(says(0.25, 0.5, 0.25))
    assert other.divergence == pytest.approx(0.5 * math.log(2) - 0.25 * math.log(2), rel=1e-4)
    assert other.top1 == 0
    came = torch.cat([text[1:] for text in TEXTS])
    ones = int((came == 1).sum())
    entropy = (ones * math.log(2) + (len(came) - ones) * math.log(4)) / len(came)
    assert other.perplexity == pytest.approx(math.exp(entropy), rel=1e-4)


def test_report_of_a_real_model(smollm2_path: Path, tmp_path: Path) -> None:
    file = tmp_path / "formats.json"
    command = [sys.executable, "-m", "bench.formats", str(smollm2_path), "--json", str(file)]
    options = ["--tokens", "200", "--format", "int4", "--format", "int8"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    [report] = json.loads(file.read_text()).values()
    found = report["formats"]
    assert list(found) == ["float32", "int4", "int8"]
    assert abs(found["float32"]["divergence"]) < 1e-5
    assert found["float32"]["top1"] == 1
    assert 0 < found["int8"]["divergence"] < found["int4"]["divergence"] < 0.2
    assert found["int4"]["bytes"] < found["int8"]["bytes"] < found["float32"]["bytes"] / 3
    assert found["int8"]["bits"] == pytest.approx(8.5, rel=0.02)
    assert all(each["decode_per_s"] > 0 for each in found.values())
    assert "| `int8` |" in done.stdout
    assert "int8" in file.with_suffix(".svg").read_text()


def test_what_cannot_be_measured_is_told_in_a_line() -> None:
    command = [sys.executable, "-m", "bench.formats", "no/model:at-all.gguf"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("caret: no/model:at-all.gguf is not on this machine.")


def test_the_page_has_every_measured_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {"bytes": 10**9, "bits": 4.5, "perplexity": 3.0, "divergence": 0.01, "top1": 0.97}
    figures |= {"prefill_per_s": 100.0, "decode_per_s": 20.0}
    report = {"machine": "a chip", "file_bits": 5.8, "tokens": 1234, "formats": {"nf4": figures}}
    known = {name: report | {"model": name} for name in ("large", "small")}
    monkeypatch.setattr(formats_page, "FIGURES", tmp_path / "formats.json")
    assert "No figures yet" in formats_page.page()
    formats_page.FIGURES.write_text(json.dumps(known))
    page = formats_page.page()
    assert "### large\n\n1,234 tokens of code; a chip." in page
    assert "### small\n" in page
    assert page.count("| `nf4` | 1,000 | 4.50 | 3.0000 | 0.01000 | 97.00% | 100 | 20.0 |") == 2
