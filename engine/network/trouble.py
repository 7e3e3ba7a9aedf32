"""Explains in words why a request from this machine to a server failed."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, TypeVar

import httpx

from engine.network.address import Misconfigured, shown
from engine.network.proxy import proxy_for

if TYPE_CHECKING:
    from collections.abc import Mapping

E = TypeVar("E", bound=BaseException)

_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}
_BINARY = "illegal request line"
"""Message of h11 about an answer that begins with a control character, as TLS records do."""
_NO_ANSWER = "Server disconnected without sending a response"
"""Message of httpcore about a server that hangs up without an answer."""
_SILENCE: Mapping[type[BaseException], str] = {
    httpx.ConnectTimeout: "it accepts no connection",
    httpx.ReadTimeout: "it has sent nothing for too long",
    httpx.WriteTimeout: "it takes nothing in",
}


def trouble(error: httpx.HTTPError | httpx.InvalidURL, url: httpx.URL) -> str:
    """Return why a request to `url` failed, as a clause: certificate, proxy, name, silence."""
    reason = _of_tls(error) or _of_the_rest(error)
    try:
        route = proxy_for(url)
    except Misconfigured:
        route = None
    if route is None:
        return reason
    return f"through the proxy {shown(route.url)} of {route.variable}: {reason}"


def _of_tls(error: BaseException) -> str:
    found = _cause(error, ssl.SSLError)
    if found is None:
        binary = _BINARY in str(error)
        return "it does not speak plain HTTP there: perhaps https:// is right" if binary else ""
    if isinstance(found, ssl.SSLCertVerificationError):
        return _of_a_certificate(found)
    if found.reason in _NO_TLS:
        return "it does not speak TLS there: write http://, or name the port of https"
    return f"TLS failed: {(found.reason or str(found)).replace('_', ' ').lower()}"


def _of_a_certificate(error: ssl.SSLCertVerificationError) -> str:
    said = str(getattr(error, "verify_message", "") or error).rstrip(".")
    lowered = said.lower()
    if "mismatch" in lowered or "not valid for" in lowered:
        return f"its certificate is for another host name ({said})"
    if "expired" in lowered or "not yet valid" in lowered:
        return f"its certificate is out of date, or the clock of this machine is ({said})"
    return (
        f"its certificate is not trusted on this machine ({said}). Put the certificate of its "
        "authority into a PEM file, and let the variable SSL_CERT_FILE name that file"
    )


def _of_the_rest(error: BaseException) -> str:
    if type(error) in _SILENCE:
        return _SILENCE[type(error)]
    system = _cause(error, OSError)
    if isinstance(error, httpx.ConnectError) and system:
        return system.strerror or "nothing answers there"
    said = str(error).rstrip(".")
    if said == _NO_ANSWER:
        return "it hung up without an answer, as servers do that want https://"
    return said or type(error).__name__


def _cause(error: BaseException, kind: type[E]) -> E | None:
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, kind):
            return at
        at = at.__cause__ or at.__context__
    return None
