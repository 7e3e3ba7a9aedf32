"""Bringing a model into memory: its service is reached, told to load it, and watched."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine import launch
from engine.client import CompletionService, EngineClient
from engine.errors import BY_CODE, CaretError, EngineUnavailable, ModelError
from engine.launch import LaunchOptions
from engine.models import find, require
from engine.remote import Endpoint, RemoteClient

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from engine.api import ModelStatus
    from lsp_server.roles import Part
    from lsp_server.settings import EngineSettings

_POLL_S = 0.2
"""Between looks at a model on its way; there are none once it is ready."""


async def stopped() -> CaretError | None:
    """End the engine; returns why it does not, if so."""
    try:
        await launch.stop()
    except CaretError as error:
        return error
    return None


def connect_to(part: Part, engine: EngineSettings) -> CompletionService:
    """The engine on this machine, or the server that the settings name."""
    if part.endpoint:
        return RemoteClient(Endpoint(part.endpoint, part.model, part.key))
    return EngineClient(
        LaunchOptions(engine.idle_minutes, engine.threads or None, engine.memory or None)
    )


async def way_into_memory(
    service: CompletionService, part: Part
) -> AsyncGenerator[ModelStatus, None]:
    """Changes until the model is ready; raises the CaretError that it failed with."""
    model = part.model
    if not part.endpoint:
        entry = find(model)
        require(entry, part.ability)
        model = entry.name
    last, status = None, await service.load(model, part.format, part.ability)
    while status.phase not in ("ready", "failed"):
        if status != last:
            yield status
        await asyncio.sleep(_POLL_S)
        last, status = status, await _look(service, status)
    if status.phase == "failed":
        raise BY_CODE.get(status.error_code, ModelError)(status.error)
    yield status


async def _look(service: CompletionService, last: ModelStatus) -> ModelStatus:
    """The model's status now.

    Raises:
        EngineUnavailable: the engine went away, and nobody else has started one.
    """
    for status in await service.statuses():
        if status.name == last.name:
            return status
    raise EngineUnavailable("The engine ended while it was loading the model. Try again.")
