"""The client of `caret lsp --tcp`."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from lsp_server import peer


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_whose_a_client_is(family: socket.AddressFamily) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(family) as client:
        port = listener.getsockname()[1]
        client.connect(("127.0.0.1" if family == socket.AF_INET else "::ffff:127.0.0.1", port))
        own = client.getsockname()[1]
        assert peer._owner(own, port) == os.getuid()
        assert peer._owner(port, own) == os.getuid()  # a process on this machine, too
        connection, _ = listener.accept()
        connection.close()
        client.close()
        assert peer._owner(own, port) is None  # what remains of it is nobody's


def test_a_client_of_another_user_is_turned_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    owners = iter([os.getuid() + 1, None, os.getuid()])
    monkeypatch.setattr(peer, "_owner", lambda *_: next(owners))
    port = _free_port()
    with ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(peer.accept, port)
        for _ in range(2):
            with _connected(port, accepted) as other:
                assert other.recv(1) == b""
        with _connected(port, accepted) as ours:
            stdin, stdout = accepted.result()
            ours.sendall(b"one line\n")
            assert stdin.readline() == b"one line\n"
            stdout.write(b"x")
            stdout.flush()
            assert ours.recv(1) == b"x"
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port))
            stdin.close()
            stdout.close()
    assert capsys.readouterr().err.count("another user") == 2


def _connected(port: int, accepting: object) -> socket.socket:
    while not accepting.done():  # type: ignore[attr-defined]  # a future
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        except ConnectionRefusedError:
            continue
    raise AssertionError(accepting)
