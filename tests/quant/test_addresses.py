"""Tensors of a wrong shape, type or device never reach the C code, even with `python -O`."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import quant

_PROGRAM = """
import torch
from dataclasses import replace
from types import SimpleNamespace as Norm
from quant import _kernels
from quant.forward import ForwardPass, Layer, Shape, cache_shapes
from quant.int4 import Int4Linear
from quant.int8 import Int8Linear
from quant.k_quants import Q4KLinear
from quant.packed import PackedLinear, StackedLinear

assert False, "an optimized Python does not come here"
if __debug__:
    raise SystemExit("asserts are still there")

refused = 0

def wrong(call, *errors):
    global refused
    try:
        call()
    except errors or ValueError:
        refused += 1
    else:
        raise SystemExit(f"case {refused + 1} was not refused")

def ones(*shape, dtype=torch.float32):
    return torch.ones(shape, dtype=dtype)

matrix = Int8Linear.of(torch.randn(32, 64), torch.ones(32))
packed, bias = matrix.packed, matrix.bias

# Packed bytes that do not belong to the matrix.
wrong(lambda: Int8Linear(packed[:-1], bias, 32, 64))
wrong(lambda: Int8Linear(packed, bias, 33, 64))
wrong(lambda: Int8Linear(packed, bias, 32, 65))
wrong(lambda: Int8Linear(packed[:0], None, 0, 64))
wrong(lambda: Int8Linear(packed[:0], None, -1, 64))
wrong(lambda: Int8Linear(packed.float(), bias, 32, 64))
wrong(lambda: Int8Linear(packed.repeat(2)[::2], bias, 32, 64))
wrong(lambda: Int8Linear(packed.to("meta"), bias, 32, 64))
wrong(lambda: Int4Linear(packed, bias, 32, 64))
# A bias of another size or number format, now or later.
wrong(lambda: Int8Linear(packed, bias[:-1], 32, 64))
wrong(lambda: Int8Linear(packed, bias.double(), 32, 64))
wrong(lambda: Int8Linear.of(torch.randn(32, 64), torch.ones(32)).half()(ones(1, 64)))
# Rows that are not what the matrix multiplies.
for x in (ones(1, 63), ones(1, 65), ones(1, 64, dtype=torch.float64), ones(2, 1, 64),
          ones(1, 64, dtype=torch.float16), ones(1, 64, dtype=torch.int32), ones(1, 64).to("meta")):
    wrong(lambda: matrix(x))
# Numbers of rows that are not there, or that are not whole numbers.
for numbers in ([-1], [32], [2**62], [0, -(2**63)]):
    wrong(lambda: matrix.rows(torch.tensor(numbers)), IndexError)
wrong(lambda: matrix.rows(torch.tensor([0.5])))
wrong(lambda: matrix.rows(torch.tensor([1], dtype=torch.int32)))
wrong(lambda: matrix.rows(torch.tensor([[1]])))
# Weights to pack.
wrong(lambda: Int8Linear.of(torch.randn(32, 64).double(), None))
wrong(lambda: Int8Linear.of(torch.randn(0, 64), None))
wrong(lambda: Int8Linear.of(torch.randn(32, 0), None))
wrong(lambda: Q4KLinear.of_stored(ones(16, 144, dtype=torch.int8), None))
wrong(lambda: Q4KLinear.of_stored(ones(16, 145, dtype=torch.uint8), None))
wrong(lambda: Q4KLinear.of_stored(ones(16, 100, dtype=torch.uint8), None))
# Plain numbers that the C code would divide by, or look up.
at = packed.data_ptr()
wrong(lambda: _kernels.matmul("c", 8, at, at, 0, at, 1, 64, 32, 0))
wrong(lambda: _kernels.matmul("c", 7, at, at, 0, at, 1, 64, 32, 1))
wrong(lambda: _kernels.matmul("c", 8, at, at, 0, at, -1, 64, 32, 1))
wrong(lambda: _kernels.matmul("c", 12, at, at, 0, at, 1, 64, 32, 1))
wrong(lambda: _kernels.pack(8, at, at, -1, 64, 1))
wrong(lambda: _kernels.interleave(12, at, at, 16, 100, 1))
wrong(lambda: _kernels.rows(3, at, 16, 64, at, 1, at))

# A forward pass: 2 heads of 8 on 1 key-value head, 32 hidden.
shape = Shape(heads=2, kv_heads=1, head_dim=8, eps=1e-6, rope_scale=1.0)

def linear(out, columns, with_bias=None):
    return Int8Linear.of(torch.randn(out, columns), with_bias)

norm = Norm(weight=ones(32), bias=None)
layer = Layer(norm, norm, linear(32, 32), linear(32, 16), linear(96, 32), linear(32, 48))
head = linear(50, 32)

def model(shape=shape, frequency=ones(4), norm=norm, head=head, count=1, **parts):
    return ForwardPass(shape, frequency, [replace(layer, **parts)] * count, norm, head)

wrong(lambda: model(frequency=ones(3)))
wrong(lambda: model(frequency=ones(4).double()))
wrong(lambda: model(norm=Norm(weight=ones(31), bias=None)))
wrong(lambda: model(norm=Norm(weight=ones(32), bias=ones(31))))
wrong(lambda: model(attention_norm=Norm(weight=ones(16), bias=None)))
wrong(lambda: model(mlp_norm=Norm(weight=ones(64)[::2], bias=None)))
wrong(lambda: model(head=linear(50, 31)))
wrong(lambda: model(count=0))
wrong(lambda: model(shape=replace(shape, heads=3)))
wrong(lambda: model(shape=replace(shape, kv_heads=0)))
wrong(lambda: model(shape=replace(shape, head_dim=7)))
wrong(lambda: model(shape=replace(shape, heads=2**33)))
wrong(lambda: model(qkv=linear(31, 32)))
wrong(lambda: model(out=linear(32, 15)))
wrong(lambda: model(out=linear(31, 16)))
wrong(lambda: model(up=linear(95, 32)))
wrong(lambda: model(up=linear(96, 31)))
wrong(lambda: model(down=linear(31, 48)))
wrong(lambda: model(down=StackedLinear([linear(8, 48) for _ in range(4)])))
wrong(lambda: model(down=StackedLinear([linear(16, 48), linear(16, 47)])))

run = model()
keys, values = (torch.zeros(shape, dtype=torch.float16) for shape in cache_shapes(1, 1, 1, 8))
assert run(ones(2, 32), 0, keys, values, 1).shape == (1, 50)
for x, past, last in ((ones(2, 31), 0, 1), (ones(2, 32).double(), 0, 1), (ones(2, 32), 0, 3),
                      (ones(2, 32), 0, 0), (ones(2, 32), 63, 1), (ones(2, 32), -1, 1),
                      (ones(0, 32), 0, 0), (ones(2, 32), 2**62, 1), (ones(65, 32), 0, 1)):
    wrong(lambda: run(x, past, keys, values, last))
for k, v in ((keys[..., :63], values), (keys, values[:, :, :, :, :8]), (keys.float(), values),
             (keys, values[:, :, :, :63]), (values, keys), (keys.to("meta"), values),
             (keys.transpose(3, 4).contiguous().transpose(3, 4), values)):
    wrong(lambda: run(ones(2, 32), 0, k, v, 1))
wrong(lambda: _kernels.forward(run._model, "c", at, at, 2, 63, 1, at, at, 1, 0, 1))
wrong(lambda: _kernels.forward(run._model, "c", at, at, 2, 0, 1, at, at, 1, 0, 0))
print(refused)
"""


def test_what_does_not_fit_is_refused_without_asserts() -> None:
    done = subprocess.run(
        [sys.executable, "-OO", "-c", _PROGRAM], capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert int(done.stdout) > 70


def test_no_assert_stands_between_a_tensor_and_the_c_code() -> None:
    files = sorted(Path(quant.__file__).parent.glob("*.py"))
    nodes = {file.name: ast.walk(ast.parse(file.read_text("utf-8"))) for file in files}
    assert [
        name for name, each in nodes.items() if any(isinstance(n, ast.Assert) for n in each)
    ] == []
