"""Servers that code and keys may go to, and models to download: what the user has decided.

An endpoint may be named by the settings of a folder, which are a stranger's: so another machine
gets nothing before the user has allowed it, and each key is bound to the servers it was given for.
This machine may have code unasked, but no key. Nor is a model downloaded unasked that Caret does
not know by name. The decisions are in a file of the data folder.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from engine.endpoint import Endpoint
from engine.errors import EngineUnavailable, NotAllowed
from engine.models import MODELS
from engine.network import Misconfigured
from engine.network.address import as_ip
from engine.paths import servers_path

if TYPE_CHECKING:
    from engine.models import ModelEntry


@dataclass(frozen=True, slots=True)
class Decision:
    """The user's decisions about a server or model; None or a missing name means undecided."""

    code: bool | None = None
    keys: dict[str, bool] = field(default_factory=dict)
    """Names of environment variables, and whether the keys in them may go there."""
    download: bool | None = None
    """Set for a model of the Hub instead of a server: true if it may be downloaded."""


def server_of(endpoint: str) -> str:
    """The server that an endpoint names, as `scheme://host` with its port where that is told.

    Raises:
        EngineUnavailable: it is no address.
    """
    try:
        url = Endpoint(endpoint).base
    except Misconfigured as error:
        raise EngineUnavailable(str(error)) from None
    return str(url.copy_with(userinfo=b"", raw_path=b"/")).rstrip("/")


def decisions() -> dict[str, Decision]:
    """Return all decisions by server or model; none if the file is damaged."""
    try:
        kept = json.loads(servers_path().read_text("utf-8"))
        return {str(server): _decision(said) for server, said in kept.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def decide(server: str, code: bool | None = None, **keys: bool) -> None:
    """Add to what is decided about a server."""
    kept = decisions()
    old = kept.get(server, Decision())
    code = old.code if code is None else code
    _write(kept | {server: replace(old, code=code, keys=old.keys | keys)})


def decide_model(name: str, *, download: bool) -> None:
    """Keep whether a model of the hub may be downloaded."""
    _write(decisions() | {name: Decision(download=download)})


def forget(server: str) -> bool:
    """Remove the decisions about a server or model; return False if there were none."""
    kept = decisions()
    known = kept.pop(server, None) is not None
    _write(kept)
    return known


def code_allowed(server: str) -> bool | None:
    """Return whether code may go to a server; None where the user has not been asked."""
    host = Endpoint(server).base.host
    ip = as_ip(host)
    if host == "localhost" or (ip and ip.is_loopback):
        return True
    if any(_is_named(server, os.environ.get(name, "")) for name in _VARIABLES):
        return True
    return decisions().get(server, Decision()).code


def key_allowed(server: str, variable: str) -> bool | None:
    """Return whether the key in a variable may go to a server; None if not asked yet."""
    if named := os.environ.get(f"{variable}_HOST"):
        return _is_named(server, named)
    return decisions().get(server, Decision()).keys.get(variable)


def is_bound(variable: str) -> bool:
    """Return whether the user has allowed a variable's key for any server."""
    return any(said.keys.get(variable) for said in decisions().values())


def require(endpoint: str) -> None:
    """Check that code may go to an endpoint.

    Raises:
        NotAllowed: the user has not allowed it.
        EngineUnavailable: it is no address.
    """
    server = server_of(endpoint)
    if not code_allowed(server):
        raise NotAllowed(
            f"The settings name {server}, to which you have not allowed code to go. "
            f"`caret trust {server}` allows it."
        )


def model_allowed(model: ModelEntry) -> bool | None:
    """Return whether a model may be downloaded or is on disk; None if the user was not asked."""
    if model.repo is None or model.name in MODELS or os.path.lexists(model.path):
        return True
    return decisions().get(model.name, Decision()).download


def require_model(model: ModelEntry) -> None:
    """Check that a model may be downloaded, or need not be.

    Raises:
        NotAllowed: the user has not allowed it.
    """
    if not model_allowed(model):
        raise NotAllowed(
            f"The settings name {model.name}, a model that Caret does not know, and that you have "
            f"not allowed to be downloaded. `caret pull {model.name}` does so."
        )


_VARIABLES = ("CARET_API_KEY_HOST", "CARET_INSTRUCT_API_KEY_HOST")
"""Variables that name the host of a key; that host may receive code, too."""


def _is_named(server: str, named: str) -> bool:
    """Return whether `named` is a server: its address, its host, or its host and port."""
    url = Endpoint(server).base
    host = f"[{url.host}]" if ":" in url.host else url.host
    wanted = named.strip().rstrip("/").lower()
    return wanted in (server, url.host, url.netloc.decode("ascii"), host) and bool(wanted)


def _decision(said: dict[str, object]) -> Decision:
    code, keys, download = said.get("code"), said.get("keys"), said.get("download")
    kept = keys if isinstance(keys, dict) else {}
    return Decision(
        code if isinstance(code, bool) else None,
        {str(name): value for name, value in kept.items() if isinstance(value, bool)},
        download if isinstance(download, bool) else None,
    )


def _write(kept: dict[str, Decision]) -> None:
    path = servers_path()
    fresh = path.with_suffix(f".{os.getpid()}")
    with suppress(FileNotFoundError):
        fresh.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(fresh, flags, 0o600), "w", encoding="utf-8") as file:
        json.dump({server: asdict(said) for server, said in kept.items()}, file, indent=2)
    fresh.replace(path)
