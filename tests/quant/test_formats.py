"""What is packed today must be what stores hold from yesterday."""

from __future__ import annotations

import hashlib

import torch

from quant.formats import KINDS, PACKING

BYTES = {
    "Int4Linear": "9c983a3458ec25c7",
    "Int6Linear": "688adbdd28189723",
    "Int8Linear": "62e61fef886ce40e",
}
"""How the SHA-256 of a packed matrix begins, in version 1."""


def test_other_bytes_need_another_version() -> None:
    weight = (torch.arange(48 * 96) * 37 % 101 - 50).view(48, 96) / 64
    found = {
        name: hashlib.sha256(kind.of(weight, None).packed.numpy().data).hexdigest()[:16]
        for name, kind in KINDS.items()
    }
    assert (PACKING, found) == (1, BYTES), "raise PACKING in quant/formats.py with these bytes"
