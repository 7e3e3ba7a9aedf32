"""`caret trust`: which servers code and API keys may go to, and which models may be downloaded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from engine.errors import CaretError
from lsp_server import trust
from lsp_server.roles import VARIABLES, chosen

if TYPE_CHECKING:
    from engine.api import Ability
    from lsp_server.settings import Settings


@click.command("trust")
@click.argument("endpoint", required=False)
@click.option("--key", is_flag=True, help="Let the API keys in the environment go there too.")
@click.option("--forget", is_flag=True, help="Be asked about it anew.")
def command(endpoint: str | None, key: bool, forget: bool) -> None:
    """Let code go to the server of ENDPOINT; without one, list what is decided.

    An editor asks before code goes to a server that its settings name. This machine may always be
    asked, but gets no key unless you say so. A model that was asked about is named likewise.
    """
    if endpoint is None:
        if key or forget:
            raise click.UsageError("Name the server of which you decide this.")
        for server, said in trust.decisions().items():
            click.echo(f"{server}: {_words(said)}")
        return
    asked = trust.decisions().get(endpoint)
    is_model = asked is not None and asked.download is not None
    server = endpoint if is_model else trust.server_of(endpoint)
    try:
        if forget:
            known = trust.forget(server)
            click.echo(f"caret: {server} is {'forgotten' if known else 'not known'}", err=True)
            return
        if is_model:
            trust.decide_model(endpoint, download=True)
        else:
            trust.decide(server, code=True, **dict.fromkeys(VARIABLES if key else (), True))
    except OSError as error:
        raise CaretError(f"The decision cannot be kept: {error}. Check the data folder.") from None
    click.echo(f"caret: {server} may have {_words(trust.decisions()[server])}", err=True)


def offer_key(settings: Settings, ability: Ability) -> None:
    """Ask on a terminal whether an endpoint given there may have the API key; tell of it elsewhere.

    Code may go there: the command line is the user's own word.
    """
    part = chosen(settings, ability)
    if not part.endpoint or part.key is None:
        return
    server = trust.server_of(part.endpoint)
    if trust.key_allowed(server, part.variable) is not None:
        return
    if not sys.stdin.isatty():
        told = f"the key in {part.variable} is not sent to {server}; `caret trust {server} --key`"
        click.echo(f"caret: {told} allows it", err=True)
        return
    gives = click.confirm(f"Send the API key in {part.variable} to {server}?", err=True)
    trust.decide(server, **{part.variable: gives})


def _words(said: trust.Decision) -> str:
    """For example "code, and the key in CARET_API_KEY"."""
    if said.download is not None:
        return "download" if said.download else "no download"
    keys = [name for name, goes in said.keys.items() if goes]
    return ", and the key in ".join(["no code" if said.code is False else "code", *keys])
