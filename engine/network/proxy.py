"""The proxy between this machine and a server, as the variables of the environment name it."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import re
import urllib.request
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from engine.network.address import Misconfigured, as_ip, is_local, url_of

if TYPE_CHECKING:
    import httpx

_SOCKS = ("socks", "socks5", "socks5h")
_ADVICE = "Set it to http://host:port, or add the server's host to no_proxy"


@dataclass(frozen=True, slots=True)
class Route:
    """A proxy to go through."""

    url: httpx.URL = field(repr=False)
    variable: str
    """Name of the environment variable that names the proxy."""


def proxy_for(url: httpx.URL) -> Route | None:
    """Return the proxy for requests to `url`; None to go there directly, as to this machine.

    Raises:
        Misconfigured: The variable that counts names no proxy that can be used.
    """
    if is_local(url.host):
        return None
    named = urllib.request.getproxies()  # on macOS also what the system's settings say
    value = named.get(url.scheme) or named.get("all")
    if not value or _goes_past(url, named.get("no", "")):
        return None
    variable = _variable(url.scheme, value)
    return Route(_parse(value, variable), variable)


def _variable(scheme: str, value: str) -> str:
    kinds = f"{scheme}_proxy", "all_proxy"
    found = [name for name in os.environ if name.lower() in kinds and os.environ[name] == value]
    return min(found, key=lambda name: kinds.index(name.lower()), default="of the system")


def _parse(value: str, variable: str) -> httpx.URL:
    text = value.strip().strip("\"'")
    kind, separator, rest = text.rpartition("://")
    kind = kind.lower() if separator else "http"
    if kind not in ("http", "https", *_SOCKS):
        raise _wrong(variable, f"of the kind {kind}://, which Caret does not know")
    if kind in _SOCKS and importlib.util.find_spec("socksio") is None:
        reason = f"of the kind {kind}://, for which the Python package socksio is missing"
        raise _wrong(variable, reason)
    url = url_of(f"{'socks5' if kind == 'socks' else kind}://{rest}")
    if url is None:
        raise _wrong(variable, "without a host and port that make sense")
    return url


def _wrong(variable: str, reason: str) -> Misconfigured:
    return Misconfigured(f"The variable {variable} names a proxy {reason}. {_ADVICE}.")


def _goes_past(url: httpx.URL, no_proxy: str) -> bool:
    """Return whether `no_proxy` names the host: by name, domain, address, network or `*`."""
    entries = [entry for entry in re.split(r"[\s,;]+", no_proxy.lower()) if entry]
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return any(_names(entry, url.host.lower().rstrip("."), port) for entry in entries)


def _names(entry: str, host: str, port: int | None) -> bool:
    pattern = entry.rpartition("://")[2].rstrip("/")
    parted = re.fullmatch(r"(\[.*\]|[^:]*):(\d+)", pattern)
    if parted:
        pattern, only = parted[1], int(parted[2])
        if only != port:
            return False
    pattern = pattern.strip("[]").rstrip(".")
    ip = as_ip(host)
    if ip is not None:
        return _holds(pattern, ip) or ("*" in pattern and fnmatchcase(host, pattern))
    domain = pattern.removeprefix("*").removeprefix(".")
    if "*" in domain or pattern == "*":
        return fnmatchcase(host, pattern)
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _holds(pattern: str, ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return ip in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return False
