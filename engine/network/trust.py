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
        if fault := _fault(context, value):
            raise Misconfigured(
                f"The variable {name} names {value}, which cannot be used ({fault}). Let it name "
                "a file of certificates in PEM, or unset it."
            )
    return context


def _fault(context: ssl.SSLContext, value: str) -> str:
    """Load the certificates that a variable names; return what is wrong with it."""
    places = [Path(place) for place in value.split(os.pathsep)]
    if not all(place.is_absolute() for place in places):
        return "it is no absolute path, and would depend on the folder that is open"
    folders = [place for place in places if place.is_dir()]
    try:
        for folder in folders:
            context.load_verify_locations(capath=folder)
        if not folders:
            context.load_verify_locations(cafile=value)
    except ssl.SSLError:
        return "it has no certificate in PEM"
    except OSError as error:
        return error.strerror or str(error)
    return ""
