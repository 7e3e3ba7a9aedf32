"""A client that changes everything at any moment, and a model that notes what it is sent."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from engine.api import Ability, ChatRequest, CompletionRequest, ModelStatus, Piece
from engine.errors import EngineLost
from lsp_server.handlers import create_server
from tests.pipe import notification

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from lsp_server.roles import Part

NAMES = ("a.py", "b.py", "c.py")
ENDPOINTS = ("", "http://127.0.0.1:1", "http://127.0.0.1:2", "http://stranger:3")
REWRITTEN = "```python\ndef total(prices):\n    return sum(prices)\n```\n"


@dataclass
class Document:
    """A document in the editor; `mark` occurs in its text and in no other."""

    uri: str
    mark: str
    version: int = 1
    edits: int = 0

    @property
    def text(self) -> str:
        return f"def total(prices):\n    {self.mark} = {self.edits}\n    return {self.mark}\n"


@dataclass(frozen=True)
class World:
    """The user's latest settings."""

    exclude: tuple[str, ...] = ()
    endpoint: str = ""
    enable: bool = True

    @property
    def section(self) -> dict[str, Any]:
        return {
            "fim": {"endpoint": self.endpoint},
            "instruct": {"endpoint": self.endpoint},
            "privacy": {"exclude": list(self.exclude)},
            "completion": {"enable": self.enable, "confidence": 0},
            "context": {"definitions": False, "search": False},
            "statistics": {"enable": False},
        }


@dataclass
class Editor:
    """The client's side, and what it finds wrong."""

    seed: int
    folder: Path
    world: World = World()
    documents: dict[str, Document] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.open: set[int] = set()
        """Requests without an answer."""
        self.asked: list[tuple[str, Any, Any]] = []
        """Requests of the server: method, id, parameters."""
        self.gates: list[asyncio.Event] = []
        self.question = ""
        self.sent = 0
        self.applied = 0
        self._ids = itertools.count(100)
        self._marks = itertools.count()

    # The connection.

    def start(self) -> None:
        self.server = create_server()
        self.server.protocol.set_writer(self)

    def write(self, data: bytes) -> None:
        message = json.loads(data.partition(b"\r\n\r\n")[2])
        if "method" not in message:
            if message["id"] not in self.open:
                self.faults.append(f"two answers to {message['id']}")
            self.open.discard(message["id"])
        elif "id" in message:
            self.asked.append((message["method"], message["id"], message.get("params")))
            if message["method"] == "workspace/configuration":
                self.question = message["id"]
            if message["method"] == "workspace/applyEdit":
                self.check_edit(message["params"]["edit"])

    def close(self) -> None:
        """Do nothing; a transport has this method."""

    def send(self, message: dict[str, Any]) -> None:
        protocol = self.server.protocol
        protocol.receive(protocol.parse(json.dumps(message).encode()))

    def notify(self, method: str, params: object) -> None:
        self.send(notification(method, params))

    def request(self, method: str, params: object, number: int = 0) -> None:
        number = number or next(self._ids)
        self.open.add(number)
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})

    # What is checked.

    @property
    def in_question(self) -> bool:
        """True while the newest request for the configuration has no answer."""
        return any(number == self.question for _, number, _ in self.asked)

    def is_excluded(self, name: str) -> bool:
        return name in self.world.exclude

    def check_sent(self, part: Part, text: str) -> None:
        """Called at the moment that something is sent to a model."""
        self.sent += 1
        leaked = [
            name
            for name, document in self.documents.items()
            if self.is_excluded(name) and document.mark in text
        ]
        if leaked:
            self.faults.append(f"text of {leaked} was sent")
        if self.in_question:
            self.faults.append("something was sent while settings were in question")
        if part.endpoint != self.world.endpoint or "stranger" in part.endpoint:
            self.faults.append(f"something was sent to {part.endpoint!r}")
        if part.ability == "infill" and not self.world.enable:
            self.faults.append("a completion was asked for that is switched off")

    def check_edit(self, edit: dict[str, Any]) -> None:
        self.applied += 1
        (change,) = edit["documentChanges"]
        told = change["textDocument"]
        open_now = {document.uri: document for document in self.documents.values()}
        there = open_now.get(told["uri"])
        if there is None or there.version != told["version"]:
            self.faults.append("an edit came for a text that moved on")

    # What may happen.

    def open_document(self) -> None:
        name = self.random.choice(NAMES)
        if name in self.documents:
            return
        document = Document(f"{self.folder.as_uri()}/{name}", f"mark_{next(self._marks)}_of")
        self.documents[name] = document
        item = {"uri": document.uri, "languageId": "python", "version": 1, "text": document.text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def close_document(self) -> None:
        if document := self.documents.pop(self.random.choice(NAMES), None):
            self.notify("textDocument/didClose", {"textDocument": {"uri": document.uri}})

    def edit_document(self) -> None:
        if document := self.documents.get(self.random.choice(NAMES)):
            document.version += 1
            document.edits += 1
            told = {"uri": document.uri, "version": document.version}
            changes = [{"text": document.text}]
            self.notify("textDocument/didChange", {"textDocument": told, "contentChanges": changes})

    def exclude(self) -> None:
        self.world = replace(
            self.world, exclude=tuple(n for n in NAMES if self.random.random() < 0.4)
        )
        self.told()

    def move(self) -> None:
        self.world = replace(self.world, endpoint=self.random.choice(ENDPOINTS))
        self.told()

    def switch(self) -> None:
        self.world = replace(self.world, enable=not self.world.enable)
        self.told()

    def told(self) -> None:
        self.notify("workspace/didChangeConfiguration", {"settings": None})

    def change_folders(self) -> None:
        folder = {"uri": self.folder.as_uri(), "name": "w"}
        added = self.random.random() < 0.5
        event = {"added": [folder] if added else [], "removed": [] if added else [folder]}
        self.notify("workspace/didChangeWorkspaceFolders", {"event": event})

    def _place(self) -> dict[str, Any]:
        uri = f"{self.folder.as_uri()}/{self.random.choice(NAMES)}"
        return {"textDocument": {"uri": uri}, "position": {"line": 2, "character": 10}}

    def complete(self) -> None:
        context = {"triggerKind": self.random.choice((1, 2))}
        self.request("textDocument/inlineCompletion", self._place() | {"context": context})

    def command(self) -> None:
        place = self._place()
        at = {"start": place["position"], "end": place["position"]}
        argument = {"textDocument": place["textDocument"], "range": at, "instruction": "Sum it."}
        name = self.random.choice(("fix", "explain", "fix"))
        params = {"command": f"caret.{name}", "arguments": [argument]}
        self.request("workspace/executeCommand", params)

    def action(self) -> None:
        at = {"line": 1, "character": 0}
        params = {"range": {"start": at, "end": at}, "context": {"diagnostics": []}}
        document = {"textDocument": self._place()["textDocument"]}
        self.request("textDocument/codeAction", params | document)

    def cancel(self) -> None:
        if self.open:
            number = self.random.choice(sorted(self.open))
            self.notify("$/cancelRequest", {"id": number})

    def answer(self) -> None:
        if not self.asked:
            return
        method, number, _ = self.asked.pop(self.random.randrange(len(self.asked)))
        result: object = None
        if method == "workspace/configuration":
            result = [self.world.section]
        if method == "workspace/applyEdit":
            result = {"applied": self.random.random() < 0.5}
        reply = {"jsonrpc": "2.0", "id": number}
        refused = method == "workspace/applyEdit" and self.random.random() < 0.2
        outcome = {"error": {"code": -32603, "message": "no"}} if refused else {"result": result}
        self.send(reply | outcome)

    def go_on(self) -> None:
        if self.gates:
            self.gates.pop(self.random.randrange(len(self.gates))).set()

    async def gate(self) -> None:
        """Wait until `go_on` releases the model, in an order that the seed decides."""
        gate = asyncio.Event()
        self.gates.append(gate)
        await gate.wait()


class Model:
    """The double: at the place of the engine or of a server elsewhere."""

    def __init__(self, editor: Editor, part: Part) -> None:
        self._editor, self._part = editor, part
        self._closed = False

    async def load(self, model: str, fmt: str = "", ability: Ability = "infill") -> ModelStatus:
        await self._editor.gate()
        return ModelStatus(model or "m", "ready")

    async def statuses(self) -> list[ModelStatus]:
        return []

    async def complete(
        self, request: CompletionRequest, *, wait: bool = True
    ) -> AsyncGenerator[Piece, None]:
        around = [request.prompt, request.suffix or "", request.hint]
        around += [snippet.text for snippet in request.context]
        async for piece in self._written("\n".join(around), ["sum", "(prices)"]):
            yield piece

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        said = "\n".join(message.content for message in request.messages)
        async for piece in self._written(said, [REWRITTEN[:20], REWRITTEN[20:]]):
            yield piece

    async def _written(self, text: str, answer: list[str]) -> AsyncGenerator[Piece, None]:
        self._editor.check_sent(self._part, text)
        for part in answer:
            await self._editor.gate()
            if self._closed or self._editor.random.random() < 0.05:
                raise EngineLost("The engine ended.")
            yield Piece(part)
        yield Piece(finish_reason="stop")

    async def aclose(self) -> None:
        self._closed = True
