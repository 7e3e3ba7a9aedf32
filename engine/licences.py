"""What publishers ask of a model's users, and what of it the user has accepted. Imports no torch.

A licence is accepted once, for all models that have it, before the first of them is downloaded.
Where nobody can be asked, the environment variable `CARET_ACCEPT_LICENCE` names what is accepted.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.errors import LicenceNotAccepted
from engine.paths import licences_path

VARIABLE = "CARET_ACCEPT_LICENCE"
"""Names of licences as `caret models` spells them, separated by commas, or `all`."""


@dataclass(frozen=True, slots=True)
class Licence:
    """What the model's publisher asks of its users."""

    name: str
    url: str
    policy: str = ""
    """Where a use policy stands that is no part of the licence's own text."""
    asks: bool = True
    """To be accepted before the model is used."""


APACHE = Licence("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0", asks=False)
LLAMA2 = Licence(
    "Llama 2",
    "https://github.com/meta-llama/codellama/blob/main/LICENSE",
    policy="https://github.com/meta-llama/codellama/blob/main/USE_POLICY.md",
)
OPENRAIL = Licence("OpenRAIL-M", "https://www.bigcode-project.org/docs/pages/bigcode-openrail/")
DEEPSEEK = Licence(
    "DeepSeek", "https://github.com/deepseek-ai/deepseek-coder/blob/main/LICENSE-MODEL"
)
QWEN_RESEARCH = Licence(
    "Qwen Research", "https://huggingface.co/Qwen/Qwen2.5-Coder-3B-Instruct/blob/main/LICENSE"
)


def wanted(licence: Licence | None) -> Licence | None:
    """The licence of a model if it is still to be accepted before the model is downloaded.

    Models that the registry does not know have none here: their home may ask on its own page.
    """
    if licence is None or not licence.asks or licence.name in _accepted():
        return None
    return None if _in_environment(licence) else licence


def require(model: str, licence: Licence | None) -> None:
    """Check that the user has accepted what the model's publisher asks.

    Raises:
        LicenceNotAccepted: The user has not; the message has the links and says how to.
    """
    if asked := wanted(licence):
        how = f"`caret pull {model} --accept-licence` accepts it."
        raise LicenceNotAccepted(f"{describe(model, asked)} {how}")


def describe(model: str, licence: Licence) -> str:
    """What is to be accepted and where it can be read, in a sentence."""
    policy = f" and its use policy ({licence.policy})" if licence.policy else ""
    return f"{model} asks you to accept the {licence.name} licence ({licence.url}){policy}."


def accept(licence: Licence) -> None:
    """Record that the user agrees; holds for every model under this licence."""
    record = _accepted() | {
        licence.name: {"url": licence.url, "accepted": datetime.now(UTC).isoformat("T", "seconds")}
    }
    path = licences_path()
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(record, indent=2) + "\n")
    fresh.replace(path)


def _accepted() -> dict[str, dict[str, str]]:
    """Name of a licence to where it stood and when it was accepted."""
    try:
        record = json.loads(licences_path().read_text())
    except (OSError, ValueError):  # none yet, or edited by hand: ask again
        return {}
    return record if isinstance(record, dict) else {}


def _in_environment(licence: Licence) -> bool:
    named = {name.strip().casefold() for name in os.environ.get(VARIABLE, "").split(",")}
    return not named.isdisjoint({"all", licence.name.casefold()})
