"""The endpoints around the models: which there are, how they do, and the engine's end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import psutil
from starlette.responses import PlainTextResponse, Response

from engine import wire
from engine.api import ModelStatus
from engine.models import MODELS
from engine.web import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from engine.host import Host
    from engine.lockfile import Address
    from engine.scheduler import Scheduler
    from engine.web.metrics import Metrics


class Control:
    """Everything but generating text."""

    def __init__(
        self,
        host: Host,
        scheduler: Scheduler,
        metrics: Metrics,
        address: Address,
        *,
        quiet_seconds: Callable[[], float],
        leave: Callable[[], None],
    ) -> None:
        self._host, self._scheduler, self._metrics = host, scheduler, metrics
        self._address, self._quiet_seconds, self._leave = address, quiet_seconds, leave

    async def health(self, request: Request) -> Response:
        """GET /health: that it lives; to its user also who it is and how its models do."""
        if not request.scope["state"]["trusted"]:
            return _json({"status": "ok"})
        return _json(
            {
                "status": "ok",
                "pid": self._address.pid,
                "version": self._address.version,
                "quiet_seconds": self._quiet_seconds(),
                "models": [wire.status_body(status) for status in self._host.statuses()],
            }
        )

    async def models(self, _: Request) -> Response:
        """GET /v1/models: OpenAI's list of what was asked for or lies on disk, with statuses."""
        known = {status.name: status for status in self._host.statuses()}
        for entry in MODELS.values():
            if entry.path.exists():
                known.setdefault(entry.name, ModelStatus(entry.name, "absent"))
        data = [
            {
                "id": status.name,
                "object": "model",
                "created": 0,
                "owned_by": "caret",
                "status": wire.status_body(status),
            }
            for status in known.values()
        ]
        return _json({"object": "list", "data": data})

    async def load(self, request: Request) -> Response:
        """POST /v1/models/load {"model", "format", "ability"}: starts bringing it into memory."""
        asked = wire.structure(wire.decode(await request.body()), wire.LoadRequest)
        return _json(wire.status_body(self._host.ensure(asked.model, asked.format, asked.ability)))

    async def prometheus(self, _: Request) -> Response:
        """GET /metrics."""
        phases = Counter(status.phase for status in self._host.statuses())
        gauges: dict[tuple[str, metrics.Labels], float] = {
            ("caret_models", (("phase", phase),)): count for phase, count in phases.items()
        }
        gauges["caret_queue_depth", ()] = self._scheduler.depth
        gauges["caret_resident_bytes", ()] = psutil.Process().memory_info().rss
        return PlainTextResponse(self._metrics.render(gauges), media_type=metrics.CONTENT_TYPE)

    async def shut_down(self, _: Request) -> Response:
        """POST /shutdown: open requests are answered with an error, then the process ends."""
        self._leave()
        return _json({"status": "stopping"})


def _json(body: wire.JSON) -> Response:
    return Response(wire.encode(body), media_type="application/json")
