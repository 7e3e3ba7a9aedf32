"""Q4_K and Q6_K with the file's own factors, against the dequantizer and the slow path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from gguf import GGMLQuantizationType as Kind

from quant.formats import FORMATS, rows_of
from quant.gguf_dequant import dequantize
from quant.k_quants import K_QUANTS, KQuantLinear
from quant.packed import KERNELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

SHAPES = [(16, 256), (1, 256), (37, 512), (96, 1536)]
ROWS = [1, 2, 3, 4, 5, 7, 16, 31, 129]
SCALES = {Kind.Q4_K: slice(0, 4), Kind.Q6_K: slice(208, 210)}
FACTORS = {Kind.Q4_K: slice(4, 16), Kind.Q6_K: slice(192, 208)}

each_kind = pytest.mark.parametrize("kind", K_QUANTS, ids=lambda kind: kind.name)
each_kernel = pytest.mark.parametrize("kernel", KERNELS)


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def _raw(kind: Kind, out: int, columns: int) -> Tensor:
    """Blocks of any bytes, with scales of both signs; some scales and factors are 0."""
    blocks = torch.randint(0, 256, (out * columns // 256, K_QUANTS[kind].stored))
    blocks = blocks.to(torch.uint8)
    scales = blocks[:, SCALES[kind]]
    drawn = (torch.rand(len(blocks), scales.shape[1] // 2) - 0.3) * 1e-2
    drawn[torch.rand(len(blocks)) < 0.1] = 0
    blocks[:, SCALES[kind]] = drawn.half().view(torch.uint8)
    factors = blocks[:, FACTORS[kind]]
    factors[torch.rand(factors.shape) < 0.2] = 0
    return blocks.view(out, -1)


def _linear(kind: Kind, out: int, columns: int, kernel: str = KERNELS[0]) -> KQuantLinear:
    module = K_QUANTS[kind].of_stored(_raw(kind, out, columns), torch.randn(out))
    module.kernel = kernel
    return module


@each_kind
@pytest.mark.parametrize("shape", SHAPES)
def test_weights_are_the_files_to_the_last_bit(kind: Kind, shape: tuple[int, int]) -> None:
    raw = _raw(kind, *shape)
    assert K_QUANTS[kind].of_stored(raw, None).dequantized().equal(dequantize(raw, kind))


@each_kind
@pytest.mark.parametrize("columns", [256, 1536])
def test_they_take_the_files_bytes(kind: Kind, columns: int) -> None:
    raw = _raw(kind, 64, columns)
    assert K_QUANTS[kind].of_stored(raw, None).packed.nbytes == raw.nbytes


@each_kernel
@each_kind
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", ROWS)
def test_matmul_equals_its_reference(
    kernel: str, kind: Kind, shape: tuple[int, int], rows: int
) -> None:
    module = _linear(kind, *shape, kernel)
    x = torch.randn(rows, shape[1]) * torch.logspace(-3, 3, rows)[:, None]
    scale = x.norm(dim=1, keepdim=True)
    torch.testing.assert_close(module(x) / scale, module.reference(x) / scale, atol=2e-5, rtol=1e-5)


@each_kernel
@each_kind
def test_a_row_does_not_depend_on_its_neighbours(kernel: str, kind: Kind) -> None:
    module, x = _linear(kind, 80, 512, kernel), torch.randn(141, 512)
    alone = torch.cat([module(row) for row in torch.split(x, 1)])
    assert module(x).equal(alone)
    spans = [(5, 19), (0, 31), (100, 115), (8, 72), *((3, 3 + count) for count in range(1, 17))]
    for start, end in spans:
        assert module(x[start:end]).equal(alone[start:end])


@each_kernel
@each_kind
@pytest.mark.parametrize("rows", [1, 6])
def test_the_largest_numbers_do_not_overflow(kernel: str, kind: Kind, rows: int) -> None:
    raw = torch.full((16, K_QUANTS[kind].stored * 2), 255, dtype=torch.uint8)
    one = torch.ones(1).half().view(torch.uint8)
    for block in raw.view(-1, K_QUANTS[kind].stored):
        block[SCALES[kind]] = one.repeat(len(block[SCALES[kind]]) // 2)
    module, x = K_QUANTS[kind].of_stored(raw, None), torch.ones(rows, 512)
    module.kernel = kernel
    torch.testing.assert_close(module(x), module.reference(x), rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(module(-x), module.reference(-x), rtol=1e-5, atol=1e-3)


@each_kind
def test_an_embedding_unpacks_single_rows(kind: Kind) -> None:
    module, tokens = _linear(kind, 37, 512), torch.tensor([36, 0, 17, 36])
    rows = rows_of(module)
    assert rows is not None
    assert rows(tokens).equal(module.dequantized()[tokens])


def test_only_the_native_format_keeps_blocks() -> None:
    assert {name for name, each in FORMATS.items() if each.kept} == {"native"}
