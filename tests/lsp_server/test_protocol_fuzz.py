"""The short form of `make torture`'s first row."""

from __future__ import annotations

from tests.torture import protocol


def test_a_client_that_says_anything() -> None:
    assert protocol.run(seed=1, scale=0.015).off == ()
