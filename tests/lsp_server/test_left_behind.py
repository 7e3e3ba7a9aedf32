"""The short form of a row of `make torture`: editors that end in all ways."""

from __future__ import annotations

from tests.torture import servers


def test_no_server_and_no_index_stays() -> None:
    assert servers.run(seed=1, scale=0.3).off == ()
