"""Certificates that are trusted: the system's, and those that the user's variables name."""

from __future__ import annotations

import os
import ssl
from functools import cache
from pathlib import Path

from engine.network.address import Misconfigured

_REPLACING = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""OpenSSL's variables: what they name stands in the place of the system's store."""
_ADDING = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables of other programs, which companies set as well."""


def named() -> dict[str, str]:
    """Return the variables that name certificates and are set, with their values."""
    return {name: os.environ[name] for name in _REPLACING + _ADDING if os.environ.get(name)}


def trust() -> ssl.SSLContext:
    """Return a context that verifies servers; reading certificates takes tens of milliseconds.

    Raises:
        Misconfigured: A variable names no certificates.
    """
    return _trusting(tuple(named().items()))


@cache
def _trusting(variables: tuple[tuple[str, str], ...]) -> ssl.SSLContext:
    import certifi
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not any(name in _REPLACING for name, _ in variables):
        context.load_verify_locations(certifi.where())  # a container may have no store
    for name, value in variables:
        try:
            _load(context, value)
        except OSError as error:
            empty = isinstance(error, ssl.SSLError)
            reason = "it has no certificate in PEM" if empty else error.strerror
            raise Misconfigured(
                f"The variable {name} names {value}, which cannot be used ({reason}). Let it name "
                "a file of certificates in PEM, or unset it."
            ) from None
    return context


def _load(context: ssl.SSLContext, value: str) -> None:
    folders = [place for place in value.split(os.pathsep) if Path(place).is_dir()]
    for folder in folders:
        context.load_verify_locations(capath=folder)
    if not folders:
        context.load_verify_locations(cafile=value)
