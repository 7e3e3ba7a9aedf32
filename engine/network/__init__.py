"""HTTP clients for servers elsewhere, with the proxies and certificates of the user's machine.

httpx reads the same variables, but ends with exceptions of many kinds where one is badly written,
knows no networks in `no_proxy`, and trusts certifi's list instead of the system's store.
"""

from engine.network.address import Misconfigured, is_public, parse, shown
from engine.network.client import Routes, open_client
from engine.network.facts import Network, network
from engine.network.trouble import trouble

__all__ = [
    "Misconfigured",
    "Network",
    "Routes",
    "is_public",
    "network",
    "open_client",
    "parse",
    "shown",
    "trouble",
]
