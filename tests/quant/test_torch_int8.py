from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from quant.formats import FORMATS
from quant.torch_int8 import TorchInt8Embedding, TorchInt8Linear

torch.manual_seed(0)
WEIGHT, BIAS = torch.randn(96, 160), torch.randn(96)


def _reference(module: TorchInt8Linear, x: torch.Tensor) -> torch.Tensor:
    """The slow path: activations rounded row by row in floats, then one float matmul."""
    largest = x.abs().amax(dim=1, keepdim=True)
    rounded = (x / largest * 127).round() / 127 * largest
    return functional.linear(rounded, module.dequantized(), module.bias)


@pytest.mark.parametrize("rows", [1, 2, 5, 16, 130])
def test_matmul_equals_its_reference(rows: int) -> None:
    module = TorchInt8Linear(WEIGHT, BIAS)
    x = torch.randn(rows, 160) * torch.logspace(-3, 3, rows)[:, None]
    scale = x.norm(dim=1, keepdim=True)
    torch.testing.assert_close(
        module(x) / scale, _reference(module, x) / scale, atol=1e-5, rtol=1e-6
    )


@pytest.mark.parametrize("rows", [1, 64])
def test_close_to_the_float_matmul(rows: int) -> None:
    x = torch.randn(rows, 160)
    exact = functional.linear(x, WEIGHT, BIAS)
    error = (TorchInt8Linear(WEIGHT, BIAS)(x) - exact).norm() / exact.norm()
    assert error < 0.02


def test_the_largest_values_do_not_saturate() -> None:
    weight, x = torch.ones(8, 512), torch.ones(3, 512)
    torch.testing.assert_close(TorchInt8Linear(weight, None)(x), torch.full((3, 8), 512.0))
    torch.testing.assert_close(TorchInt8Linear(-weight, None)(-x), torch.full((3, 8), 512.0))


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    module, x = (
        TorchInt8Linear(WEIGHT, BIAS),
        torch.randn(9, 160) * torch.logspace(-3, 3, 9)[:, None],
    )
    alone = torch.cat([module(row) for row in torch.split(x, 1)])
    assert module(x).equal(alone)


def test_a_row_of_zeros_stays_zero() -> None:
    assert not TorchInt8Linear(WEIGHT, None)(torch.zeros(1, 160)).any()


def test_weights_are_rounded_to_half_a_step() -> None:
    off = (TorchInt8Linear(WEIGHT, None).dequantized() - WEIGHT).abs()
    assert (off <= WEIGHT.abs().amax(dim=1, keepdim=True) / 63 / 2 + 1e-6).all()


def test_embedding_rows_are_close() -> None:
    tokens = torch.tensor([3, 0, 3])
    off = (TorchInt8Embedding(WEIGHT)(tokens) - WEIGHT[tokens]).abs()
    assert (off <= WEIGHT[tokens].abs().amax(dim=1, keepdim=True) / 127 / 2 + 1e-6).all()


def test_the_reference_format_is_exact() -> None:
    x = torch.randn(4, 160)
    linear = FORMATS["float32"].linear(WEIGHT, BIAS)
    torch.testing.assert_close(linear(x), functional.linear(x, WEIGHT, BIAS))
    assert FORMATS["float32"].embedding(WEIGHT)(torch.tensor([5])).equal(WEIGHT[5:6])
