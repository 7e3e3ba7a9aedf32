"""The two endpoints that generate text, /v1/completions and /v1/chat/completions.

The compute thread hands its pieces to the event loop; nothing here computes or waits for long.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from starlette.responses import Response

from engine import sse, wire
from engine.api import CompletionRequest, Usage
from engine.errors import CaretError, RequestError
from engine.scheduler import Rank
from engine.wire_answers import Envelope

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from engine.api import Ability, ChatRequest, Piece
    from engine.host import Host, Model
    from engine.scheduler import Scheduler
    from engine.web.metrics import Kind, Metrics
    from engine.wire import Delivery, R


class Completions:
    """Answers requests for text with the models of a host, on the compute thread."""

    def __init__(self, host: Host, scheduler: Scheduler, metrics: Metrics) -> None:
        self._host, self._scheduler, self._metrics = host, scheduler, metrics

    async def complete(self, request: Request) -> Response:
        """POST /v1/completions."""
        asked, delivery = await self._parsed(request, "completion", wire.parse_completion)
        kind: Kind = "completion" if asked.max_tokens else "ahead"
        pieces = self._pieces(kind, asked, delivery, choices=asked.n)
        return await _respond(pieces, Envelope(asked.model, chat=False), delivery)

    async def chat(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        asked, delivery = await self._parsed(request, "chat", wire.parse_chat)
        pieces = self._pieces("chat", asked, delivery, choices=1)
        return await _respond(pieces, Envelope(asked.model, chat=True), delivery)

    async def _parsed(
        self, request: Request, kind: Kind, parse: Callable[[wire.JSON], tuple[R, Delivery]]
    ) -> tuple[R, Delivery]:
        try:
            return parse(wire.decode(await request.body()))
        except RequestError as error:
            self._metrics.count_request(kind, error.code)
            raise

    async def _pieces(
        self,
        kind: Kind,
        asked: CompletionRequest | ChatRequest,
        delivery: Delivery,
        choices: int,
    ) -> AsyncGenerator[Piece, None]:
        """Pieces as they are computed, until every choice has its finish reason.

        Closing it, or cancelling who waits for it, cancels the job.
        """
        self._metrics.count_start(kind)
        outcome, usage = "cancelled", Usage()
        try:
            model = await self._model(asked, delivery)
            async with aclosing(self._computed(model, asked)) as computed:
                while choices:
                    piece = await anext(computed)
                    choices -= piece.finish_reason is not None
                    usage = piece.usage or usage
                    yield piece
            outcome = "ok"
        except CaretError as error:
            outcome = error.code
            raise
        finally:
            self._metrics.count_usage(kind, usage)
            self._metrics.count_request(kind, outcome)

    async def _model(self, asked: CompletionRequest | ChatRequest, delivery: Delivery) -> Model:
        ability: Ability = "infill" if isinstance(asked, CompletionRequest) else "instruct"
        if delivery.wait:
            return await asyncio.wrap_future(self._host.loaded(asked.model, ability))
        return self._host.runtime(asked.model, ability)

    async def _computed(
        self, model: Model, asked: CompletionRequest | ChatRequest
    ) -> AsyncGenerator[Piece, None]:
        """What the compute thread delivers; raises the CaretError that it delivers instead."""
        loop = asyncio.get_running_loop()
        inbox: asyncio.Queue[Piece | CaretError] = asyncio.Queue()

        def deliver(item: Piece | CaretError) -> None:
            loop.call_soon_threadsafe(inbox.put_nowait, item)

        job = self._scheduler.submit(
            _work(model, asked),
            deliver,
            rank=_rank(asked),
            document=asked.document,
            interrupt=model.interrupt,
        )
        try:
            while True:
                item = await inbox.get()
                if isinstance(item, CaretError):
                    raise item
                yield item
        finally:
            job.cancel()


def _work(model: Model, asked: CompletionRequest | ChatRequest) -> Iterator[Piece | None]:
    return model.complete(asked) if isinstance(asked, CompletionRequest) else model.chat(asked)


def _rank(asked: CompletionRequest | ChatRequest) -> Rank:
    if not asked.max_tokens:
        return Rank.IDLE
    return Rank.COMPLETION if isinstance(asked, CompletionRequest) else Rank.CHAT


async def _respond(
    pieces: AsyncGenerator[Piece, None], envelope: Envelope, delivery: Delivery
) -> Response:
    if not delivery.stream:
        async with aclosing(pieces):
            body = envelope.whole([piece async for piece in pieces])
        return Response(wire.encode(body), media_type="application/json")
    # An error before the first piece still has an HTTP status of its own.
    first = await anext(pieces)
    return _EventStream(first, pieces, envelope)


class _EventStream(Response):
    """Server-sent events; closes its pieces however it ends, which cancels the job."""

    media_type = "text/event-stream"

    def __init__(self, first: Piece, rest: AsyncGenerator[Piece, None], envelope: Envelope) -> None:
        super().__init__(headers={"cache-control": "no-store"})
        del self.headers["content-length"]
        self._first, self._rest, self._envelope = first, rest, envelope

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces as they come."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        async with aclosing(self._rest):
            await send(start)
            async for event in self._events():
                await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": sse.event(sse.DONE)})

    async def _events(self) -> AsyncIterator[bytes]:
        yield sse.event(wire.encode(self._envelope.chunk(self._first)))
        async for piece in self._rest:
            yield sse.event(wire.encode(self._envelope.chunk(piece)))
