"""The formats by bitsandbytes, and bfloat16, against plain float matmuls of their own weights."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch.nn import functional

from quant.bnb import has_cpu_kernel
from quant.formats import FORMATS
from quant.llm_int8 import LlmInt8Linear
from quant.nf4 import Nf4CpuLinear, Nf4Linear, nf4_linear

SHAPES = [(96, 128), (97, 130), (33, 63), (1, 1)]
ROWS = [1, 2, 5, 40]
LEVELS = torch.tensor(
    # QLoRA, arXiv 2305.14314, appendix E
    [
        *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453),
        *(-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0),
        *(0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224),
        *(0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
    ]
)


def _data(out: int, columns: int, rows: int = 1) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    numbers = torch.Generator().manual_seed(out * columns + rows)
    sizes = [(out, columns), (out,), (rows, columns)]
    weight, bias, x = (torch.randn(size, generator=numbers) for size in sizes)
    return weight, bias, x


def _off(module: Any, x: torch.Tensor) -> float:
    """How far a module's matmul is from one of the weights that it says it holds."""
    exact = functional.linear(x, module.dequantized(), module.bias.float())
    return float((module(x) - exact).norm() / exact.norm())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", ROWS)
def test_nf4_equals_its_reference(shape: tuple[int, int], rows: int) -> None:
    weight, bias, x = _data(*shape, rows)
    assert _off(Nf4Linear(weight, bias), x) < 1e-5


@pytest.mark.parametrize("rows", ROWS)
def test_nf4_of_the_processor_equals_its_reference(rows: int) -> None:
    weight, bias, x = _data(96, 192, rows)
    if not has_cpu_kernel():  # there, nobody makes such a module
        assert isinstance(nf4_linear(weight, bias), Nf4Linear)
        return
    module = nf4_linear(weight, bias)
    assert isinstance(module, Nf4CpuLinear)
    assert _off(module, x) < 6e-3  # activations and scales have 8 bits of precision


def test_both_layouts_hold_the_same_weights() -> None:
    weight, _, _ = _data(96, 192)
    plain, panels = (layout(weight, None).dequantized() for layout in (Nf4Linear, Nf4CpuLinear))
    torch.testing.assert_close(plain, panels, rtol=2**-8, atol=0)  # scales of 8 bits


def test_nf4_takes_the_nearest_level_of_the_paper() -> None:
    weight, _, _ = _data(33, 63)
    blocks = functional.pad(weight.view(-1), (0, -weight.numel() % 64)).view(-1, 64)
    scales = blocks.abs().amax(dim=1, keepdim=True)
    nearest = (blocks / scales)[..., None].sub(LEVELS).abs().argmin(dim=-1)
    expected = (LEVELS[nearest] * scales).view(-1)[: weight.numel()].view(weight.shape)
    torch.testing.assert_close(Nf4Linear(weight, None).dequantized(), expected)


def test_odd_shapes_take_the_plain_layout() -> None:
    assert isinstance(nf4_linear(_data(97, 128)[0], None), Nf4Linear)
    assert isinstance(nf4_linear(_data(96, 100)[0], None), Nf4Linear)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", ROWS)
def test_llm_int8_equals_its_reference(shape: tuple[int, int], rows: int) -> None:
    weight, bias, x = _data(*shape, rows)
    assert _off(LlmInt8Linear(weight, bias), x) < 0.012  # activations have 8 bits


def test_llm_int8_multiplies_outliers_in_half_precision() -> None:
    weight, bias, x = _data(96, 128, 5)
    x[2, 7] = 5000.0
    off = (LlmInt8Linear(weight, bias)(x) - functional.linear(x, weight, bias)).norm(dim=1)
    assert (off / functional.linear(x, weight, bias).norm(dim=1) < 0.02).all()


@pytest.mark.parametrize("name", ["nf4", "bfloat16", "llm-int8"])
def test_bits_per_weight_are_what_is_held(name: str) -> None:
    module = FORMATS[name].linear(_data(256, 1024)[0], None)
    tensors = [*module.buffers(), *(v for v in vars(module).values() if torch.is_tensor(v))]
    bits = sum(tensor.nbytes for tensor in tensors) * 8 / (256 * 1024)
    assert bits == pytest.approx(FORMATS[name].bits_per_weight, rel=0.06)


@pytest.mark.parametrize("rows", ROWS)
def test_bfloat16_equals_its_reference(rows: int) -> None:
    weight, bias, x = _data(96, 160, rows)
    module = FORMATS["bfloat16"].linear(weight, bias)
    assert _off(module, x) < 6e-3
    assert module(x).dtype == torch.float32
    assert module(x.bfloat16()).dtype == torch.bfloat16
    rows_of_table = FORMATS["bfloat16"].embedding(weight)(torch.tensor([3, 0]))
    torch.testing.assert_close(rows_of_table, weight[[3, 0]], rtol=2**-8, atol=0)


def test_bitsandbytes_is_imported_by_its_formats_alone() -> None:
    program = (
        "import sys, torch; from quant.formats import FORMATS\n"
        "for name in sys.argv[1:]: FORMATS[name].linear(torch.randn(32, 64), None)\n"
        "print('bitsandbytes' in sys.modules)"
    )
    for names, expected in ((["int8", "int4", "bfloat16"], "False"), (["nf4"], "True")):
        done = subprocess.run(
            [sys.executable, "-c", program, *names], capture_output=True, text=True, check=True
        )
        assert (done.stdout.strip(), done.stderr) == (expected, "")
