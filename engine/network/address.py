"""Addresses of servers as people write them, normalised or refused in one sentence."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

import httpx

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_BARE_IPV6 = re.compile(r"[0-9a-f]*:[0-9a-f:]*:[0-9a-f.:]*", re.IGNORECASE)
_NAME = re.compile(r"(?!.{254})([\w-]{1,63}\.)*[\w-]{1,63}\.?", re.ASCII)
_SLIPS = ("http", "https")
"""Hosts of addresses such as `http:/host` and `https//host`."""
_UNIX = ("unix", "http+unix", "https+unix", "file")


class Misconfigured(Exception):
    """An address or a variable that cannot be used; the text names it and says what is right."""


def parse(written: str, name: str) -> httpx.URL:
    """Return the address that a person wrote, without a slash at its end.

    Blanks, quotes, a missing scheme and invisible characters, which come along where an address is
    copied from a page, are forgiven; `name` is what a message calls it.

    Raises:
        Misconfigured: It is no address of an HTTP server.
    """
    visible = "".join(char for char in written if unicodedata.category(char) != "Cf")
    text = visible.strip().strip("\"'`<>").strip()
    if not text:
        raise _wrong(name, "is empty")
    scheme = _SCHEME.match(text)
    if text.startswith(("/", "unix:")) or (scheme and scheme[1].lower() in _UNIX):
        raise _wrong(name, "names a file, and Caret reaches servers over TCP only")
    if scheme and scheme[1].lower() not in ("http", "https"):
        raise _wrong(name, f"begins with {scheme[0]}")
    if not scheme:
        text = _with_scheme(text)
    url = url_of(text)
    if url is None:
        raise _wrong(name, "names no host and port")
    if url.query or url.fragment:
        raise _wrong(name, "has a query or a fragment, which must be left out")
    return url.copy_with(raw_path=url.raw_path.rstrip(b"/?") or b"/")


def url_of(text: str) -> httpx.URL | None:
    """Return `text` as a URL whose host can be looked up; None where it is none."""
    try:
        url = httpx.URL(text)
        host, port = url.host, url.port
    except (httpx.InvalidURL, ValueError):  # the latter for what no name on the net may have
        return None
    known = as_ip(host) or _NAME.fullmatch(url.raw_host.decode("ascii"))
    fits = port is None or 0 < port < 65536
    return url if known and fits and host not in _SLIPS else None


def _with_scheme(text: str) -> str:
    """Take plain HTTP, but for a public name without a port, where a key would go unencrypted."""
    if _BARE_IPV6.fullmatch(text):
        return f"http://[{text}]"
    return f"{'https' if is_public(text.partition('/')[0].lower()) else 'http'}://{text}"


def _wrong(name: str, reason: str) -> Misconfigured:
    return Misconfigured(f"The {name} {reason}. Write it as http://host:port or https://host.")


def shown(url: httpx.URL) -> str:
    """Return `url` for a message, without its user and password."""
    return str(url.copy_with(userinfo=b""))


def is_public(host: str) -> bool:
    """Return whether `host` is a name of the internet's: dotted, and ends in letters."""
    ending = host.rpartition(".")[2] if "." in host else ""
    return ending.isalpha() and ending not in ("local", "localhost", "lan", "internal", "home")


def is_local(host: str) -> bool:
    """Return whether `host` is this machine's loopback interface."""
    name = host.removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    ip = as_ip(host)
    return ip is not None and (ip.is_loopback or ip.is_unspecified)


def as_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that `host` spells, as IPv4 where it is one in IPv6; None for a name."""
    try:
        ip = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip
