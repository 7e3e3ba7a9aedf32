"""Proxies as the environment names them, well and badly."""

from __future__ import annotations

import os

import httpx
import pytest

from engine.network import Misconfigured
from engine.network.proxy import proxy_for

BOX = httpx.URL("http://box:8000/v1")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("variable", "value", "url"),
    [
        ("http_proxy", "http://p:3128", "http://p:3128"),
        ("HTTP_PROXY", "p:3128", "http://p:3128"),
        ("all_proxy", " HTTPS://p/ ", "https://p/"),
        ("ALL_PROXY", "http://u:s3cret@p:1", "http://u:s3cret@p:1"),
    ],
)
def test_the_variable_in_force(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, url: str
) -> None:
    monkeypatch.setenv(variable, value)
    route = proxy_for(BOX)
    assert route is not None
    assert (str(route.url), route.variable) == (url, variable)
    assert "s3cret" not in repr(route)


def test_only_the_variable_that_counts_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "zzz://")
    monkeypatch.setenv("all_proxy", "socks://127.0.0.1:1/")
    monkeypatch.setenv("http_proxy", "p:1")
    route = proxy_for(BOX)
    assert route is not None
    assert route.variable == "http_proxy"


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    "value",
    [
        *["zzz://p", "socks4://p:1", "http://", "://p", "http//p:1", "p p", "garbage!!"],
        *["http://p:99999", "http://p:x", "http://[", "http://p:1:2", "ftp://p", "http://p\x01"],
    ],
)
def test_a_value_that_is_no_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured, match=rf"^The variable {variable} names a proxy .*no_proxy"):
        proxy_for(BOX)


@pytest.mark.parametrize("kind", ["socks", "socks5", "SOCKS5H"])
def test_socks_needs_a_package_more(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("all_proxy", f"{kind}://127.0.0.1:1/")
    with pytest.raises(Misconfigured, match=f"all_proxy .* {kind.lower()}://, .* socksio"):
        proxy_for(BOX)


@pytest.mark.parametrize(
    "url",
    [
        *["http://127.0.0.1:1", "http://127.9.9.9", "http://localhost:1", "http://a.localhost"],
        *["http://[::1]:1", "http://0.0.0.0:8", "https://[::ffff:127.0.0.1]", "http://localhost."],
    ],
)
def test_this_machine_is_reached_past_any_proxy(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("all_proxy", "zzz://")
    assert proxy_for(httpx.URL(url)) is None


@pytest.mark.parametrize(
    ("url", "no_proxy"),
    [
        ("http://box:8000", "box"),
        ("http://box:8000", "x, BOX ,y"),
        ("http://box:8000", "x box"),
        ("http://box:8000", "*"),
        ("http://box:8000", "box:8000"),
        ("http://box", "box:80"),
        ("http://box", "http://box/"),
        ("http://box", "b*x"),
        ("http://a.corp.example", ".corp.example"),
        ("http://a.corp.example", "*.corp.example"),
        ("http://a.corp.example", "corp.example"),
        ("http://corp.example", ".corp.example."),
        ("http://10.1.2.3", "10.0.0.0/8"),
        ("http://10.1.2.3", "10.1.2.3"),
        ("http://10.1.2.3:5", "10.1.2.3:5"),
        ("http://10.1.2.3", "10.*"),
        ("http://[fd00::1]:80", "[fd00::1]"),
        ("http://[fd00::1]:80", "[fd00::1]:80"),
        ("http://[fd00::1]:80", "fd00::/8"),
    ],
)
@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
def test_hosts_that_are_to_go_past_the_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str, url: str, no_proxy: str
) -> None:
    monkeypatch.setenv("http_proxy", "p:1")
    monkeypatch.setenv(variable, no_proxy)
    assert proxy_for(httpx.URL(url)) is None


@pytest.mark.parametrize(
    ("url", "no_proxy"),
    [
        ("http://box:8000", "box:1"),
        ("http://mailbox", "box"),
        ("http://box", "[::1], 127.0.0.0/8, , localhost"),
        ("http://10.1.2.3", "10.1.2.3/33, x/8"),
        ("http://10.1.2.3", "3"),
    ],
)
def test_hosts_that_are_not(monkeypatch: pytest.MonkeyPatch, url: str, no_proxy: str) -> None:
    monkeypatch.setenv("http_proxy", "p:1")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert proxy_for(httpx.URL(url)) is not None
