"""The C extension, absent where it could not be built; see quant/kernels."""

from array import array

def variants() -> list[str]:
    """Names of the kernels that run on this processor, best first."""

def pack(kind: int, weight: int, packed: int, out: int, columns: int, threads: int, /) -> None:
    """Write `weight`, float32 [out, columns], at `packed` in the layout of `kind`: addresses.

    A kind is the `kind` of a `quant.packed.RoundedLinear`: 4, 6 or 8.
    """

def interleave(
    kind: int, stored: int, packed: int, out: int, columns: int, threads: int, /
) -> None:
    """Write a GGUF file's blocks [out, columns / 256] at `packed`: addresses.

    A kind is the `kind` of a `quant.k_quants.KQuantLinear`: 12 or 14.
    """

def matmul(
    variant: str,
    kind: int,
    packed: int,
    x: int,
    bias: int,
    y: int,
    rows: int,
    columns: int,
    out: int,
    threads: int,
    /,
) -> None:
    """Write y [rows, out] = x [rows, columns] · packedᵀ + bias.

    `packed` (in the layout of `kind`), `x`, `bias` and `y` are addresses of contiguous memory, the
    last three float32; `bias` may be 0. Raises ValueError for a variant that does not run here.
    """

def rows(
    kind: int, packed: int, out: int, columns: int, numbers: int, count: int, y: int, /
) -> None:
    """Unpack single rows: y float32 [count, columns] of `numbers`, int64 [count] below `out`.

    Raises IndexError for a number that is no row.
    """

class Model:
    """A decoder for `forward`: no such name exists, it is an opaque capsule."""

def model(words: array[int], eps: float, rope_scale: float, rope_gain: float, /) -> Model:
    """Describe a decoder by the 64-bit words that quant/kernels/forward_module.c reads.

    They hold addresses of tensors, which the caller keeps alive.
    """

def forward(
    model: Model,
    variant: str,
    x: int,
    logits: int,
    rows: int,
    past: int,
    last: int,
    keys: int,
    values: int,
    blocks: int,
    given_up: int,
    threads: int,
    /,
) -> bool:
    """Append float32 rows at address `x`, which it overwrites, to a cache of `past` positions.

    The float32 logits of the `last` rows are written at `logits`. `keys` and `values` are addresses
    of what quant.forward.cache_shapes says, with `blocks`. False if the int32 at address `given_up`
    became other than 0, and so nothing written is of use; 0 for no such address. Raises ValueError
    for a variant that does not run here, MemoryError where there is none for the workspace.
    """
