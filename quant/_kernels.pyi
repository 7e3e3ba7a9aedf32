"""The C extension, absent where it could not be built; see quant/kernels."""

def variants() -> list[str]:
    """Names of the kernels that run on this processor, best first."""

def pack(weight: int, packed: int, out: int, columns: int, threads: int, /) -> None:
    """Write quant.int4's layout of `weight`, float32 [out, columns], at `packed`: addresses."""

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

    `packed` (in the layout of `kind`: 4 is quant.int4's), `x`, `bias` and `y` are addresses of contiguous memory, the
    last three float32; `bias` may be 0. Raises ValueError for a variant that does not run here.
    """
