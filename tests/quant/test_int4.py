from __future__ import annotations

import pytest
import torch

from quant import int4, packed
from quant.int4 import Int4Linear, pack_reference

SHAPES = [(96, 160), (16, 32), (1, 1), (17, 33), (37, 95), (160, 64)]


@pytest.mark.parametrize("shape", SHAPES)
def test_packing_equals_its_reference(shape: tuple[int, int]) -> None:
    weight = torch.randn(shape) * torch.logspace(-4, 2, shape[0])[:, None]
    assert Int4Linear.pack(weight).equal(pack_reference(weight))
    again = Int4Linear.of(weight, None).dequantized()
    assert Int4Linear.pack(again).equal(pack_reference(again))


def test_tiny_groups_are_kept() -> None:
    weight = torch.full((1, 32), 1e-6)
    torch.testing.assert_close(Int4Linear.of(weight, None).dequantized(), weight, rtol=0, atol=5e-8)


def test_without_kernels_the_result_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    weight, bias, x = torch.randn(40, 96), torch.randn(40), torch.randn(5, 96)
    expected = Int4Linear.of(weight, bias)(x)
    for module in (int4, packed):
        monkeypatch.setattr(module, "KERNELS", [])
    linear = Int4Linear.of(weight, bias)
    assert linear.kernel is None
    torch.testing.assert_close(linear(x), expected, atol=1e-4, rtol=1e-5)
