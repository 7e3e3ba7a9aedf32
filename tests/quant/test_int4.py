from __future__ import annotations

from typing import TYPE_CHECKING

import gguf
import pytest
import torch
from gguf import GGMLQuantizationType as Kind
from torch.nn import functional

from quant import int4
from quant.formats import FORMATS
from quant.gguf_dequant import dequantize
from quant.int4 import KERNELS, Int4Linear, pack, pack_reference, unpack
from quant.int8 import Int8Linear

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPES = [(96, 160), (16, 32), (1, 1), (17, 33), (37, 95), (160, 64)]
ROWS = [1, 2, 3, 4, 5, 7, 16, 127, 128, 129, 300]


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    """Each test has numbers of its own, whichever tests ran before."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def _linear(out: int, columns: int, kernel: str | None = None) -> Int4Linear:
    module = Int4Linear(torch.randn(out, columns), torch.randn(out))
    if kernel:
        module.kernel = kernel
    return module


def _grid(out: int, columns: int, kind: Kind) -> torch.Tensor:
    """Weights as a GGUF file gives them."""
    weight = torch.randn(out, columns)
    if kind is not Kind.Q4_K:
        return dequantize(torch.from_numpy(gguf.quantize(weight.numpy(), kind)), kind)
    blocks = torch.randint(0, 256, (out * columns // 256, 144), dtype=torch.uint8)
    blocks[:, :4].view(torch.float16).copy_(torch.rand(len(blocks), 2) * 1e-3)
    return dequantize(blocks.view(out, -1), kind)


def test_the_kernels_were_built() -> None:
    assert KERNELS[-1] == "c"


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", ROWS)
def test_matmul_equals_its_reference(kernel: str, shape: tuple[int, int], rows: int) -> None:
    module = _linear(*shape, kernel)
    x = torch.randn(rows, shape[1]) * torch.logspace(-3, 3, rows)[:, None]
    scale = x.norm(dim=1, keepdim=True)
    torch.testing.assert_close(module(x) / scale, module.reference(x) / scale, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_row_does_not_depend_on_its_neighbours(kernel: str) -> None:
    module, x = _linear(80, 160, kernel), torch.randn(141, 160)
    alone = torch.cat([module(row) for row in torch.split(x, 1)])
    assert module(x).equal(alone)
    assert module(x[5:19]).equal(alone[5:19])


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("rows", [1, 6])
def test_the_largest_values_do_not_overflow(kernel: str, rows: int) -> None:
    weight = torch.ones(16, 512)
    weight[:, ::32] = -14  # 1 is number 15 of a grid from -14
    module, x = Int4Linear(weight, None), torch.ones(rows, 512)
    module.kernel = kernel
    torch.testing.assert_close(module(x), functional.linear(x, weight))
    torch.testing.assert_close(module(-x), functional.linear(-x, weight))


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_row_of_zeros_gives_the_bias(kernel: str) -> None:
    module = _linear(40, 70, kernel)
    assert module.bias is not None
    assert module(torch.zeros(2, 70))[1].equal(module.bias)


def test_rows_that_are_a_view_are_read_right() -> None:
    module, x = _linear(40, 64), torch.randn(64, 6)
    torch.testing.assert_close(module(x.t()), module(x.t().contiguous()))


def test_an_unknown_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="'abacus'"):
        _linear(16, 32, "abacus")(torch.ones(1, 32))


@pytest.mark.parametrize("shape", SHAPES)
def test_packing_equals_its_reference(shape: tuple[int, int]) -> None:
    weight = torch.randn(shape) * torch.logspace(-4, 2, shape[0])[:, None]
    assert pack(weight).equal(pack_reference(weight))
    again = unpack(pack(weight), *shape)
    assert pack(again).equal(pack_reference(again))


def test_weights_are_rounded_to_half_a_step() -> None:
    weight = torch.randn(48, 96)
    low, high = torch.aminmax(weight.view(48, 3, 32), dim=2, keepdim=True)
    off = (Int4Linear(weight, None).dequantized() - weight).abs().view(48, 3, 32)
    assert (off <= (high - low) / 15 * 0.51).all()


@pytest.mark.parametrize("kind", [Kind.Q4_0, Kind.Q4_1, Kind.Q4_K])
def test_weights_of_4_bit_files_are_kept(kind: Kind) -> None:
    weight = _grid(64, 512, kind)
    off = unpack(pack(weight), *weight.shape) - weight
    assert off.norm() < 3e-4 * weight.norm()


def test_constant_tiny_and_huge_groups_are_kept() -> None:
    weight = torch.tensor([0.0, 0.25, -3.0, 1e-6, 6e4]).repeat_interleave(32).view(5, 32)
    torch.testing.assert_close(unpack(pack(weight), 5, 32), weight, rtol=1e-3, atol=5e-8)


@pytest.mark.parametrize(("kind", "expected"), [(Kind.Q4_K, Int4Linear), (Kind.Q8_0, Int8Linear)])
def test_the_mixed_format_takes_4_bits_only_where_nothing_is_lost(
    kind: Kind, expected: type
) -> None:
    assert isinstance(FORMATS["int4-int8"].linear(_grid(200, 256, kind), None), expected)


def test_without_kernels_the_result_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    weight, bias, x = torch.randn(40, 96), torch.randn(40), torch.randn(5, 96)
    expected = Int4Linear(weight, bias)(x)
    monkeypatch.setattr(int4, "KERNELS", [])
    module = Int4Linear(weight, bias)
    assert module.kernel is None
    torch.testing.assert_close(module(x), expected, atol=1e-4, rtol=1e-5)
