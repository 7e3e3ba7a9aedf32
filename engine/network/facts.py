"""Environment variables that decide how other servers are reached, for `caret doctor`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from engine.network.address import Misconfigured, parse
from engine.network.proxy import proxy_for
from engine.network.trust import named, trust

if TYPE_CHECKING:
    from collections.abc import Callable

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_WHO = re.compile(r"[^/\s,]*@")
"""A user and a password in an address."""
_SOMEWHERE = "://caret.invalid"


@dataclass(frozen=True, slots=True)
class Network:
    """The variables in force, and what is wrong with them."""

    variables: dict[str, str]
    """Values by name of the variable, without users and passwords."""
    faults: tuple[str, ...]


def network() -> Network:
    """Return the variables that are set, and the faults in them."""
    proxies = {name: value for name, value in os.environ.items() if name.lower() in _PROXIES}
    hub = os.environ.get("HF_ENDPOINT", "")
    variables = proxies | named() | {"HF_ENDPOINT": hub}
    shown = {name: _WHO.sub("", value) for name, value in sorted(variables.items()) if value}
    checks: list[Callable[[], object]] = [
        lambda: proxy_for(httpx.URL(f"http{_SOMEWHERE}")),
        lambda: proxy_for(httpx.URL(f"https{_SOMEWHERE}")),
        trust,
        lambda: parse(hub, "address in the variable HF_ENDPOINT") if hub else None,
    ]
    faults = dict.fromkeys(fault for check in checks if (fault := _fault(check)))
    return Network(shown, tuple(faults))


def _fault(check: Callable[[], object]) -> str:
    try:
        check()
    except Misconfigured as error:
        return str(error)
    return ""
