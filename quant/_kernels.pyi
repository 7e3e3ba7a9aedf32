"""The C extension, absent where it could not be built; see quant/kernels."""

def variants() -> list[str]:
    """Names of the kernels that run on this processor, best first."""

def pack(kind: int, weight: int, packed: int, out: int, columns: int, threads: int, /) -> None:
    """Write `weight`, float32 [out, columns], at `packed` in the layout of `kind`: addresses.

    A kind is the `kind` of a `quant.packed.PackedLinear`: 4, 6 or 8.
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
