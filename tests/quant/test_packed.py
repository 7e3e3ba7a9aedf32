from __future__ import annotations

from typing import TYPE_CHECKING

import gguf
import pytest
import torch
from gguf import GGMLQuantizationType as Kind
from torch.nn import functional

from quant.formats import FORMATS, rows_of
from quant.gguf_dequant import dequantize
from quant.int4 import Int4Linear
from quant.int6 import Int6Linear
from quant.int8 import Int8Linear
from quant.packed import KERNELS, RoundedLinear, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = [Int4Linear, Int6Linear, Int8Linear]
SHAPES = [(96, 160), (16, 32), (1, 1), (17, 33), (37, 95), (160, 64)]
ROWS = [1, 2, 3, 4, 5, 7, 16, 31, 127, 128, 129, 300]

each_kernel = pytest.mark.parametrize("kernel", KERNELS)
each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    """Each test has numbers of its own, whichever tests ran before."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def _linear(kind: type[RoundedLinear], out: int, columns: int, kernel: str) -> RoundedLinear:
    module = kind.of(torch.randn(out, columns), torch.randn(out))
    module.kernel = kernel
    return module


def _grid(out: int, columns: int, kind: Kind) -> torch.Tensor:
    """Weights as a GGUF file gives them."""
    numbers = torch.randn(out, columns).numpy()
    return dequantize(torch.from_numpy(gguf.quantize(numbers, kind)), kind)


def test_the_kernels_were_built() -> None:
    assert KERNELS[-1] == "c"


@each_kernel
@each_kind
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", ROWS)
def test_matmul_equals_its_reference(
    kernel: str, kind: type[RoundedLinear], shape: tuple[int, int], rows: int
) -> None:
    module = _linear(kind, *shape, kernel)
    x = torch.randn(rows, shape[1]) * torch.logspace(-3, 3, rows)[:, None]
    scale = x.norm(dim=1, keepdim=True)
    torch.testing.assert_close(module(x) / scale, module.reference(x) / scale, atol=2e-5, rtol=1e-5)


@each_kernel
@each_kind
def test_a_row_does_not_depend_on_its_neighbours(kernel: str, kind: type[RoundedLinear]) -> None:
    module, x = _linear(kind, 80, 160, kernel), torch.randn(141, 160)
    alone = torch.cat([module(row) for row in torch.split(x, 1)])
    assert module(x).equal(alone)
    spans = [(5, 19), (0, 31), (100, 115), (8, 72), *((3, 3 + count) for count in range(1, 17))]
    for start, end in spans:
        assert module(x[start:end]).equal(alone[start:end])


@each_kernel
@each_kind
@pytest.mark.parametrize("rows", [1, 6])
def test_the_largest_values_do_not_overflow(
    kernel: str, kind: type[RoundedLinear], rows: int
) -> None:
    """1 is the largest number where each group has a weight that takes the other end."""
    weight = torch.ones(16, 512)
    weight[:, ::16] = {4: -14, 6: -32 / 31, 8: -1}[kind.kind]
    module, x = kind.of(weight, None), torch.ones(rows, 512)
    module.kernel = kernel
    expected = functional.linear(x, weight)
    torch.testing.assert_close(module(x), expected, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(module(-x), -expected, rtol=1e-3, atol=1e-3)


@each_kernel
@each_kind
def test_a_row_of_zeros_gives_the_bias(kernel: str, kind: type[RoundedLinear]) -> None:
    module = _linear(kind, 40, 70, kernel)
    assert module.bias is not None
    assert module(torch.zeros(2, 70))[1].equal(module.bias)


@each_kind
def test_rows_that_are_a_view_are_read_right(kind: type[RoundedLinear]) -> None:
    module, x = kind.of(torch.randn(40, 64), None), torch.randn(64, 6)
    torch.testing.assert_close(module(x.t()), module(x.t().contiguous()))


def test_an_unknown_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="'abacus'"):
        _linear(Int8Linear, 16, 32, "abacus")(torch.ones(1, 32))


@each_kind
def test_an_embedding_unpacks_single_rows(kind: type[RoundedLinear]) -> None:
    module, tokens = kind.of(torch.randn(37, 95), None), torch.tensor([36, 0, 17, 36])
    rows = rows_of(module)
    assert isinstance(rows, Rows)
    assert rows(tokens).equal(module.dequantized()[tokens])
    for outside in (-1, 37):
        with pytest.raises(IndexError, match=str(outside)):
            rows(torch.tensor([0, outside]))


@each_kind
@pytest.mark.parametrize("shape", SHAPES)
def test_what_was_packed_once_stays_as_it_is(
    kind: type[RoundedLinear], shape: tuple[int, int]
) -> None:
    weight = torch.randn(shape) * torch.logspace(-2, 2, shape[0])[:, None]
    once = kind.of(weight, None).dequantized()
    again = kind.of(once, None).dequantized()
    torch.testing.assert_close(again, once, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "group", "steps", "most"),
    [(Int4Linear, 32, 15, 0.51), (Int6Linear, 16, 64, 0.53), (Int8Linear, 32, 254, 0.51)],
)
def test_weights_are_rounded_to_the_nearest_step(
    kind: type[RoundedLinear], group: int, steps: int, most: float
) -> None:
    """6-bit numbers reach one step less far on one side of 0 than on the other."""
    weight = torch.randn(48, 96)
    groups = weight.view(48, -1, group)
    low, high = torch.aminmax(groups, dim=2, keepdim=True)
    span = high - low if kind is Int4Linear else 2 * torch.maximum(high, -low)
    off = (kind.of(weight, None).dequantized() - weight).abs().view_as(groups)
    assert (off <= span / steps * most).all()


@pytest.mark.parametrize(
    ("kind", "fits"),
    [
        (Kind.Q4_0, Int4Linear),
        (Kind.Q4_1, Int4Linear),
        (Kind.Q5_0, Int6Linear),
        (Kind.Q8_0, Int8Linear),
    ],
)
def test_the_native_format_keeps_what_a_file_has(kind: Kind, fits: type[RoundedLinear]) -> None:
    weight = _grid(200, 512, kind)
    module = FORMATS["native"].linear(weight, None)
    assert isinstance(module, fits)
    assert (module.dequantized() - weight).norm() < 4e-4 * weight.norm()


def test_stacked_matrices_of_different_bits_get_the_most() -> None:
    stacked = torch.cat([_grid(1792, 256, Kind.Q4_1), _grid(256, 256, Kind.Q5_0) * 1e-2])
    module = FORMATS["native"].linear(stacked, None)
    assert isinstance(module, Int8Linear)


@each_kind
def test_constant_and_zero_groups_are_kept(kind: type[RoundedLinear]) -> None:
    weight = torch.tensor([0.0, 0.25, -3.0, 6e4]).repeat_interleave(32).view(4, 32)
    torch.testing.assert_close(kind.of(weight, None).dequantized(), weight, rtol=1e-3, atol=0)
