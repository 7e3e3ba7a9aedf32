"""Who may talk to the engine, and what happens when they hang up: the outermost ASGI layer.

Every user of this machine and every web page in a browser can reach a loopback port. The token,
which only its user can read, keeps the former out; the Host header (DNS rebinding) and the
Origin header (cross-site requests) give the latter away even if it knew the token.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
import traceback
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from engine import sse, wire
from engine.errors import CaretError, EngineError, EngineLost, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 16 << 20
BODY_SECONDS = 60.0
"""In which the whole body of a request has to come."""


class _RefusedError(RequestError):
    """A request that gets no further than the guard."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Guard:
    """Checks each request, passes it on, cancels it when its client goes away.

    Every error ends here and becomes OpenAI's error object; a traceback goes to the log alone.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._secret = f"Bearer {token}".encode()
        self._open: set[asyncio.Task[None]] = set()
        self._working = 0
        self._last_used = time.monotonic()
        self._stopping = False

    def idle_seconds(self) -> float:
        """Since the last request for work ended; 0 while one is open. Only POSTs are work."""
        return 0.0 if self._working else time.monotonic() - self._last_used

    def stop(self) -> None:
        """Answer every open request with EngineLost, and so every later one."""
        self._stopping = True
        for task in self._open:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            raise ValueError(
                f"a scope of the type {scope['type']}"
            )  # the server is told to send none
        reply = _Reply(send)
        try:
            self._check(scope)
            work = scope["method"] == "POST" and scope["state"]["trusted"]
            with self._in_use() if work else nullcontext():
                await self._pass_on(scope, receive, reply)
        except _RefusedError as error:
            # What it still sends is not read: it may be without end.
            await reply.error(error.status, error, closing=True)
        except CaretError as error:
            error.with_traceback(None)  # one that is kept and raised again would pile them up
            await reply.error(wire.http_status(error), error)
        except Exception as error:
            # The message of an unforeseen error may quote a prompt; where it arose does not.
            where = "".join(traceback.format_tb(error.__traceback__))
            _log.error("%s in a request:\n%s", type(error).__name__, where)
            await reply.error(500, EngineError("A fault in Caret; engine.log says where."))

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1
            self._last_used = time.monotonic()

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if headers.get("host", "").partition(":")[0].lower() not in ("127.0.0.1", "localhost"):
            raise _RefusedError(403, "The engine answers to the name 127.0.0.1 alone.")
        # Browsers send the latter also where a page only loads, as an image, what it cannot read.
        if "origin" in headers or "sec-fetch-site" in headers:
            raise _RefusedError(403, "The engine does not answer web pages.")
        given = headers.get("authorization", "")
        anonymous = not given and scope["path"] == "/health"
        if not anonymous and not hmac.compare_digest(given.encode(), self._secret):
            raise _RefusedError(401, "The token is missing or wrong.")
        scope["state"]["trusted"] = not anonymous
        if not anonymous:
            scope["state"]["trust"]()

    async def _pass_on(self, scope: Scope, receive: Receive, reply: _Reply) -> None:
        if self._stopping:
            raise _stopped()
        body = _Body(receive)
        work = asyncio.ensure_future(self._app(scope, body.receive, reply))
        listener = asyncio.ensure_future(body.listen())
        self._open.add(work)
        try:
            await asyncio.wait((work, listener), return_when=asyncio.FIRST_COMPLETED)
            if not reply.complete:
                work.cancel()  # nobody is there to read the answer; no effect if it is done
            await work
        except asyncio.CancelledError:
            if self._stopping:
                raise _stopped() from None
        finally:
            self._open.discard(work)
            work.cancel()
            listener.cancel()


def _stopped() -> EngineLost:
    return EngineLost("The engine was stopped; the next request starts it again.")


class _Body:
    """What the client sends: first the body, then, sooner or later, the end of the connection."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._inbox: asyncio.Queue[Message] = asyncio.Queue(maxsize=1)
        self._room = MAX_BODY_BYTES
        self._deadline: float | None = asyncio.get_running_loop().time() + BODY_SECONDS

    async def listen(self) -> None:
        """Returns when the client is gone."""
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return
            await self._inbox.put(message)

    async def receive(self) -> Message:
        """The next part of the body, for the application."""
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._inbox.get()
        except TimeoutError:
            raise _RefusedError(408, "The request comes too slowly.") from None
        if not message.get("more_body"):
            self._deadline = None  # what comes next is the end of the connection
        self._room -= len(message["body"])
        if self._room < 0:
            limit = f"{MAX_BODY_BYTES >> 20} MB"
            raise _RefusedError(413, f"The request is larger than {limit}; send less context.")
        return message


class _Reply:
    """ASGI's `send`, and how far the answer is."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._started = False
        self.complete = False

    async def __call__(self, message: Message) -> None:
        self._started = True
        self.complete = message["type"] == "http.response.body" and not message.get("more_body")
        await self._send(message)

    async def error(self, status: int, error: CaretError, *, closing: bool = False) -> None:
        """The error as the answer, or as the last event of a stream that has begun.

        With `closing` the connection ends with it.
        """
        body = wire.encode(wire.error_body(error))
        if self._started:
            body = sse.event(body) + sse.event(sse.DONE)
        else:
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ]
            if closing:
                headers.append((b"connection", b"close"))
            await self({"type": "http.response.start", "status": status, "headers": headers})
        await self({"type": "http.response.body", "body": body})
