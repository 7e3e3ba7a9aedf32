"""JSON-RPC between client and server: pygls's, with one answer to every request, whatever it is."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
    JsonRpcParseError,
)
from pygls.protocol import LanguageServerProtocol

from lsp_server.greeting import is_id, readable
from lsp_server.incoming import Incoming, decoded, id_of
from lsp_server.leniency import read
from lsp_server.stages import Stages

if TYPE_CHECKING:
    from collections.abc import Callable

    from lsp_server.greeting import MsgId

_WITHOUT_PARAMETERS: dict[str, Any] = {
    types.INITIALIZED: {},
    types.SHUTDOWN: None,
    types.EXIT: None,
}
"""Messages whose parameters mean nothing, and what pygls wants to see in their place."""
_FAULT = "A fault in Caret; lsp.log says where."
_BATCH = 1_000
"""Messages of a batch that are refused one by one."""

_log = logging.getLogger(__name__)


class Rpc(LanguageServerProtocol):
    """Takes messages as clients write them, and hands on what is right to pygls."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - pygls's own
        super().__init__(*args, **kwargs)
        self.over = asyncio.Event()
        """The session is to end."""
        self.answered: MsgId | None = None
        """A request that was answered before the server stood (see `greeting`)."""
        self._open: set[MsgId] = set()
        """Requests that have no answer yet."""
        self._stages = Stages()

    def parse(self, body: bytes) -> Incoming:
        """Parse a message; raises nothing, changes nothing, and may run on any thread.

        It takes time in proportion to the message, most of all to what is in its lists.
        """
        try:
            content = decoded(body)
        except JsonRpcParseError as error:
            return Incoming(error)
        if not isinstance(content, dict) or not self._has_handler(content.get("method")):
            return Incoming(content)
        try:
            return Incoming(content, self.structure_message({"params": None} | content))
        except JsonRpcException as error:
            return Incoming(content, error)

    def _has_handler(self, method: object) -> bool:
        return (
            isinstance(method, str)
            and method not in (types.INITIALIZE, *_WITHOUT_PARAMETERS)
            and method in {types.CANCEL_REQUEST, *self.fm.features, *self.fm.builtin_features}
        )

    def receive(self, incoming: Incoming) -> None:
        """Take one message from the client; raises nothing."""
        message = incoming.content
        if isinstance(message, JsonRpcException):
            self._refuse(None, message)
        elif isinstance(message, list):
            self._refuse_batch(message)
        elif not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            self._refuse(id_of(message), JsonRpcInvalidRequest("This is no JSON-RPC 2.0 message."))
        else:
            self._sort(message, incoming.structured)

    def _sort(self, message: dict[str, Any], structured: Any) -> None:  # noqa: ANN401 - any message
        answers = "result" in message or "error" in message or message.get("id") in self._waiting()
        if isinstance(message.get("method"), str):
            self._take(message, structured)
        elif "method" not in message and answers:  # some clients leave a result out that is null
            self._take_answer({"result": None} | message)
        else:
            self._refuse(id_of(message), JsonRpcInvalidRequest("This is no JSON-RPC message."))

    def _waiting(self) -> list[MsgId]:
        """Return the ids of the server's own requests."""
        return list(self._result_types)

    def _refuse_batch(self, batch: list[Any]) -> None:
        error = JsonRpcInvalidRequest("Send messages one by one: LSP has no batches.")
        few = batch if len(batch) <= _BATCH else ()
        ids = [each for message in few if (each := id_of(message)) is not None]
        for asked in ids or [None]:
            self._refuse(asked, error)

    def _take(self, message: dict[str, Any], structured: Any) -> None:  # noqa: ANN401 - any message
        """Handle a request or a notification."""
        asks = "id" in message
        try:
            if asks and not is_id(message["id"]):
                raise JsonRpcInvalidRequest("The id of a request is a number or a string.")
            method = message["method"]
            if method == types.EXIT:
                self.over.set()
            elif self._stages.admit(method, asks=asks):
                self._handle(message, structured, asks=asks)
        except JsonRpcException as error:
            _log.warning("Refused %.100r with %d", message["method"], error.code)
            if asks:
                self._refuse(id_of(message), error)
            else:
                self.missed(message)
        except Exception as error:
            _log_fault(error)
            if asks:
                self._refuse(id_of(message), JsonRpcException(_FAULT))

    def _handle(self, message: dict[str, Any], structured: Any, *, asks: bool) -> None:  # noqa: ANN401 - any message
        method = message["method"]
        if self._stages.lacks_initialized(method, asks=asks):
            self._handle({"jsonrpc": "2.0", "method": types.INITIALIZED}, None, asks=False)
        if asks:
            self._check_method(method)
            self._open.add(message["id"])
        if isinstance(structured, JsonRpcException):
            raise structured
        if structured is None and (asks or method in _WITHOUT_PARAMETERS):
            structured = self._structured(message)
        if structured is not None:  # else it is a notification that means nothing here
            self.handle_message(structured)

    def missed(self, message: dict[str, Any]) -> None:
        """Do what follows from a notification that cannot be read."""

    def _check_method(self, method: str) -> None:
        """Raise JsonRpcMethodNotFound unless this is a request that has a handler."""
        known = types.METHOD_TO_TYPES.get(method)
        if known and known[1] is None:  # a notification, to which pygls would send no answer
            raise JsonRpcMethodNotFound.of(method)
        self._get_handler(method)

    def _structured(self, message: dict[str, Any]) -> Any:  # noqa: ANN401 - any message
        method = message["method"]
        if method in _WITHOUT_PARAMETERS:
            message["params"] = _WITHOUT_PARAMETERS[method]
            return self.structure_message(message)
        if not isinstance(message.get("params"), dict):
            raise JsonRpcInvalidParams("`initialize` has no parameters.")
        if self.answered is None:
            message["params"] = readable(message["params"])
        initialize = self.structure_message(message)
        self._stages.greeted = True
        return initialize

    def structure_message(self, data: dict[str, Any]) -> Any:  # noqa: ANN401 - any message
        """Do as pygls does, but read what deviates a little, and tell what is wrong in words."""
        method = data.get("method", "an answer")
        kind = self.get_message_type(method)
        try:
            if kind is None:
                return super().structure_message(data)
            return read(data, kind, self._converter, whole="id" not in data)
        except Exception:  # whatever lsprotocol and cattrs raise
            raise JsonRpcInvalidParams(
                f"The parameters of {method} are not as the protocol has them."
            ) from None

    def _take_answer(self, message: dict[str, Any]) -> None:
        """Hand the client's answer to whoever waits for it."""
        asked = message.get("id")
        if asked not in self._waiting():
            _log.warning("Ignored an answer to nothing")
            return
        message.pop("error" if message.get("error") is None else "result", None)
        is_configuration = self._result_types[asked] is types.ConfigurationResponse
        if is_configuration and message.get("result", ...) is None:
            message["result"] = []  # some clients say null where nothing is set
        if is_configuration and isinstance(message.get("result"), dict):
            message["result"] = [message["result"]]  # and others leave out the list
        try:
            answer = self.structure_message(message)
        except JsonRpcException as error:
            answer = types.ResponseErrorMessage(asked, error=error.to_response_error())
        self._result_types.pop(asked, None)
        if not self._request_futures[asked].done():
            self.handle_message(answer)

    def _handle_cancel_notification(self, msg_id: MsgId) -> None:
        """Cancel a request of the client's; it cannot cancel one of the server's."""
        if is_id(msg_id) and msg_id not in self._result_types:
            super()._handle_cancel_notification(msg_id)  # type: ignore[arg-type]  # pygls knows no floats

    @property
    def _work(self) -> dict[MsgId, Any]:
        """Return the work on requests by id, with floats, which pygls's type does not know."""
        return cast("dict[MsgId, Any]", self._request_futures)

    async def cancel_requests(self) -> None:
        """Answer all open requests with an error."""
        work = [self._work.get(asked) for asked in self._open]
        running: list[asyncio.Task[Any]] = [each for each in work if isinstance(each, asyncio.Task)]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    def _execute_handler(
        self,
        msg_id: MsgId,
        handler: Callable[..., Any],
        callback: Callable[..., Any],
        args: Any = None,  # noqa: ANN401 - pygls's own
        kwargs: Any = None,  # noqa: ANN401 - pygls's own
    ) -> None:
        """Do as pygls does, and forget the work when it is done, which pygls does of few."""
        asked = cast("int", msg_id)  # pygls's type knows no floats
        super()._execute_handler(asked, handler, callback, args, kwargs)
        work = self._work.get(msg_id)
        if work is not None:
            # Later: pygls cancels all work in a loop over what is not forgotten.
            loop = asyncio.get_running_loop()
            work.add_done_callback(lambda _: loop.call_soon(self._forget, msg_id, work))

    def _forget(self, msg_id: MsgId, work: object) -> None:
        if self._work.get(msg_id) is work:
            del self._work[msg_id]

    def _run_generator(self, future: Any, *, gen: Any, result_future: Any) -> None:  # noqa: ANN401 - pygls's own
        """Do as pygls does, but end with work that is cancelled."""
        if future is not None and future.cancelled():
            gen.close()
            result_future.cancel()
            return
        super()._run_generator(future, gen=gen, result_future=result_future)

    def _refuse(self, msg_id: MsgId | None, error: JsonRpcException) -> None:
        """Answer with an error; without an id where the message was unreadable."""
        self._send_response(msg_id, error=error.to_response_error())

    def _send_response(
        self, msg_id: MsgId | None, result: object = None, error: types.ResponseError | None = None
    ) -> None:
        self._open.discard(msg_id)
        if msg_id is not None and msg_id == self.answered:
            self.answered = None
        elif error is None:
            super()._send_response(msg_id, result)  # type: ignore[arg-type]  # a number
        else:
            told = _FAULT if error.data is not None else error.message  # pygls's data: a traceback
            refusal = {"code": error.code, "message": told}
            # Not by lsprotocol, which leaves an id out that is null.
            self._send_data({"jsonrpc": "2.0", "id": msg_id, "error": refusal})


def _log_fault(error: BaseException | None) -> None:
    """Log where an error arose; its message may quote a document, so only its type is told."""
    where = "".join(traceback.format_tb(error.__traceback__)) if error else ""
    _log.error("%s in a message:\n%s", type(error).__name__, where)
