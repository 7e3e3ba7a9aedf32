"""Which model plays which part: the one that completes at the caret, and the one that is talked to.

Both are chosen apart, by the sections `fim` and `instruct` of the settings. Where the second says
nothing, the model that completes answers too, if it can: then one set of weights serves both.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from engine.api import ChatMessage
from engine.errors import EngineUnavailable, ModelError
from engine.models import DEFAULT_FIM, DEFAULT_INSTRUCT, find
from lsp_server import trust

if TYPE_CHECKING:
    from engine.api import Ability, ChatRequest
    from lsp_server.settings import Settings

VARIABLES = ("CARET_API_KEY", "CARET_INSTRUCT_API_KEY")
"""Environment variables with the API keys of the completion and of the instruct model."""
SAFETY_PROMPT = (
    "You are a helpful, respectful and honest assistant. Always answer as helpfully as possible, "
    "while being safe. Your answers should not include any harmful, unethical, racist, sexist, "
    "toxic, dangerous, or illegal content. Please ensure that your responses are socially "
    "unbiased and positive in nature.\n\n"
    "If a question does not make any sense, or is not factually coherent, explain why instead of "
    "answering something not correct. If you don't know the answer to a question, please don't "
    "share false information."
)
"""Meta's, word for word: the default of Llama 2's chat until August 2023 (UPDATES.md of
github.com/meta-llama/llama), and of Code Llama's tokenizer in transformers."""


@dataclass(frozen=True, slots=True)
class Part:
    """What plays a part."""

    ability: Ability
    model: str
    """Empty at an endpoint: the server's only one."""
    endpoint: str = ""
    """Empty: the engine on this machine."""
    format: str = ""
    key: str | None = field(default=None, repr=False)
    """For the endpoint."""
    variable: str = ""
    """Environment variable with a key for it; "" where there is none."""

    @property
    def title(self) -> str:
        """A name for people."""
        return self.model or self.endpoint


def chosen(settings: Settings, ability: Ability) -> Part:
    """What the settings name for an ability."""
    fim, instruct = settings.fim, settings.instruct
    key = _key(VARIABLES[0])
    completing = Part("infill", fim.model, fim.endpoint, fim.format, *key)
    if not fim.endpoint and not fim.model:
        completing = replace(completing, model=DEFAULT_FIM)
    if ability == "infill":
        return completing
    if instruct.endpoint:
        if fim.endpoint not in ("", instruct.endpoint):
            key = None, ""  # it is for another server
        own = _key(VARIABLES[1])
        place = instruct.model, instruct.endpoint, instruct.format
        return Part("instruct", *place, *(own if own[0] else key))
    if instruct.model:
        return Part("instruct", instruct.model, "", instruct.format)
    if completing.endpoint or _may_answer(completing.model):
        return replace(completing, ability="instruct")
    return Part("instruct", DEFAULT_INSTRUCT, "", instruct.format)


def _key(variable: str) -> tuple[str | None, str]:
    key = os.environ.get(variable) or None
    return key, variable if key else ""


def permitted(part: Part) -> Part:
    """Return the part, without its key if the user has not allowed it for the server."""
    if not part.endpoint or part.key is None:
        return part
    try:
        goes = trust.key_allowed(trust.server_of(part.endpoint), part.variable)
    except EngineUnavailable:  # it is no address, which is said when it is asked
        goes = False
    return part if goes else replace(part, key=None)


def require_allowed(part: Part) -> None:
    """Check that the user allows what plays a part.

    Raises:
        NotAllowed: code may not go to its server, or its model not be downloaded, as far as said.
        CaretError: there is no such server or model.
    """
    if part.endpoint:
        trust.require(part.endpoint)
    else:
        trust.require_model(find(part.model))


def _may_answer(model: str) -> bool:
    """Whether a model follows instructions; loading one of unknown name will say what is wrong."""
    try:
        return "instruct" in find(model).abilities
    except ModelError:
        return True


def with_safety_prompt(request: ChatRequest) -> ChatRequest:
    """The conversation with `SAFETY_PROMPT` before whatever else its system message says."""
    first, *rest = request.messages
    if first.role != "system":
        return replace(request, messages=(ChatMessage("system", SAFETY_PROMPT), first, *rest))
    system = ChatMessage("system", f"{SAFETY_PROMPT}\n\n{first.content}")
    return replace(request, messages=(system, *rest))
