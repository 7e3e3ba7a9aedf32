"""What is packed today must be what stores hold from yesterday."""

from __future__ import annotations

import hashlib

import torch

from quant.formats import KINDS, PACKING
from quant.k_quants import KQuantLinear
from quant.packed import PackedLinear, RoundedLinear

BYTES = {
    "Int4Linear": "9c983a3458ec25c7",
    "Int6Linear": "9ac531ec047dd1e9",
    "Int8Linear": "62e61fef886ce40e",
    "Q4KLinear": "f2f176ab7e506544",
    "Q6KLinear": "c7566efba31e9dc8",
}
"""How the SHA-256 of a packed matrix begins, in version 3."""


def _packed(kind: type[PackedLinear]) -> PackedLinear:
    if issubclass(kind, KQuantLinear):
        stored = (torch.arange(48 * 2 * kind.stored) * 37 % 101).view(48, -1)
        return kind.of_stored(stored.to(torch.uint8), None)
    assert issubclass(kind, RoundedLinear)
    return kind.of((torch.arange(48 * 96) * 37 % 101 - 50).view(48, 96) / 64, None)


def test_other_bytes_need_another_version() -> None:
    found = {
        name: hashlib.sha256(_packed(kind).packed.numpy().data).hexdigest()[:16]
        for name, kind in KINDS.items()
    }
    assert (PACKING, found) == (3, BYTES), "raise PACKING in quant/formats.py with these bytes"
