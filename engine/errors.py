"""Every error that a person may see, as one tree.

CaretError
├── ModelError            something about the model asked for
│   ├── UnknownModel      no such name in the registry, on disk or on a hub
│   ├── ModelMissing      known, but its files are not on this machine
│   ├── ModelDamaged      truncated, or not the bytes that its digest promises
│   ├── UnsupportedModel  an architecture or tokenizer that Caret cannot run
│   └── NotCapable        asked for what this model was not trained for
├── FetchError            no source could deliver a file
│   ├── DiskFull          there is no room for it
│   └── LicenceNotAccepted the user has yet to agree to what its publisher asks
├── NotAllowed            settings name a server that the user has not allowed
├── RequestError          a request that no retry will make right
├── FolderUnavailable     a folder of Caret's cannot be made, or is another user's
├── StatisticsUnavailable the file of statistics cannot be read or written
├── AnswerUnusable        a model wrote something that cannot be applied
└── EngineError           the engine process
    ├── EngineUnavailable it cannot be started or reached
    ├── EngineLost        it went away in the middle of a request
    ├── OutOfMemory       the model or its cache does not fit
    └── Superseded        a newer request of the same document took its place

A message is one or two sentences to a person: what happened, then what to do about it.
"""

from __future__ import annotations


class CaretError(Exception):
    """The root: its text is shown to the user as it stands."""

    code = "caret_error"
    """Stable name on the wire (``error.code`` of an HTTP answer)."""


class ModelError(CaretError):
    """Something about the model asked for."""

    code = "model_error"


class UnknownModel(ModelError):
    """No such name in the registry, on disk or on a hub."""

    code = "unknown_model"


class ModelMissing(ModelError):
    """A known model whose files are not on this machine."""

    code = "model_missing"


class ModelDamaged(ModelError):
    """A model file that is truncated or has the wrong digest."""

    code = "model_damaged"


class UnsupportedModel(ModelError):
    """An architecture, tensor type or tokenizer that Caret cannot run."""

    code = "unsupported_model"


class NotCapable(ModelError):
    """A request for what the model was not trained for, such as infilling with Code Llama 34B."""

    code = "not_capable"


class FetchError(CaretError):
    """No source could deliver a file."""

    code = "fetch_failed"


class DiskFull(FetchError):
    """There is no room for a file."""

    code = "disk_full"


class LicenceNotAccepted(FetchError):
    """A model whose publisher asks its users to agree to a licence, which nobody here did yet."""

    code = "licence_not_accepted"


class NotAllowed(CaretError):
    """Settings name a server that the user has not allowed code to go to."""

    code = "not_allowed"


class RequestError(CaretError):
    """A request that no retry will make right: a prompt too long, a field of the wrong type."""

    code = "bad_request"


class FolderUnavailable(CaretError, OSError):
    """A folder of Caret's that cannot be made, or that is another user's."""

    code = "folder_unavailable"


class StatisticsUnavailable(CaretError):
    """The file of statistics cannot be read or written."""

    code = "statistics_unavailable"


class AnswerUnusable(CaretError):
    """A model's answer of which no edit can be made."""

    code = "answer_unusable"


class EngineError(CaretError):
    """Something about the engine process."""

    code = "engine_error"


class EngineUnavailable(EngineError):
    """The engine cannot be started or reached."""

    code = "engine_unavailable"


class EngineLost(EngineError):
    """The engine went away in the middle of a request."""

    code = "engine_lost"


class OutOfMemory(EngineError):
    """The model or its cache does not fit into memory."""

    code = "out_of_memory"

    def __init__(self, message: str, missing: int = 0) -> None:
        """`missing`: bytes that it would take more than there are; 0 where nobody knows."""
        super().__init__(message)
        self.missing = missing


class Superseded(EngineError):
    """A newer request of the same document, or newer settings, took this one's place."""

    code = "superseded"


def _tree(root: type[CaretError]) -> dict[str, type[CaretError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


BY_CODE = _tree(CaretError)
"""Wire name to class: what the client raises for an error that the engine answered."""
