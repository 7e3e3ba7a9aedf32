"""`caret engine`: run the engine in the foreground, look at the running one, or end it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from engine import launch, spawn
from engine.client import EngineClient

if TYPE_CHECKING:
    from engine.api import ModelStatus


@click.command("engine")
@click.option("--stop", is_flag=True, help="End the running engine.")
@click.option("--status", is_flag=True, help="Say where it runs and how its models do.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port on 127.0.0.1; any by default.")
@click.option("--idle-minutes", type=click.FloatRange(min=0), help="Leave after; 0: never.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads to compute with.")
@click.option("--memory", type=click.FloatRange(min=0), help="GB that the engine may use.")
@click.option("--format", help="How to hold weights, where no editor's setting says.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Where to compute.")
def command(*, stop: bool, status: bool, **options: float | str | None) -> None:
    """Run the engine in the foreground. Editors start it by themselves when they need it."""
    if stop and status:
        raise click.UsageError("--stop and --status exclude each other.")
    if stop:
        asyncio.run(_stop())
    elif status:
        asyncio.run(_show_status())
    else:
        _become_engine(options)


def _become_engine(options: dict[str, float | str | None]) -> None:
    """Turn this process into the engine: one that imports torch, and takes Ctrl-C itself."""
    given = {name.replace("_", "-"): value for name, value in options.items() if value is not None}
    arguments = [f"--{name}={value}" for name, value in given.items()]
    spawn.become("engine", *arguments)


async def _stop() -> None:
    address = await launch.stop()
    ended = f"The engine (pid {address.pid}) has ended." if address else "No engine runs."
    click.echo(ended)


async def _show_status() -> None:
    address = await launch.running()
    if address is None:
        click.echo("No engine runs. Editors start it when they need it.")
        return
    click.echo(f"Engine {address.version} runs at {address.url} (pid {address.pid}).")
    client = EngineClient()
    try:
        for status in await client.statuses():
            click.echo(f"  {_line(status)}")
    finally:
        await client.aclose()


def _line(status: ModelStatus) -> str:
    share = f" {status.done / status.total:.0%}" if status.total else ""
    return f"{status.name}: {status.phase}{share}{f': {status.error}' if status.error else ''}"
