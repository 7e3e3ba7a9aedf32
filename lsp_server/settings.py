"""The user's settings, section `caret`. A wrong value is reported and its default used instead.

The same section comes as initializationOptions, from workspace/configuration and from
workspace/didChangeConfiguration. docs/settings.md is generated from the docstrings of the fields.
"""

from __future__ import annotations

import dataclasses
import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from lsp_server.exclusion import exclusion_of
from lsp_server.secret_files import SECRET_FILES

Multiline = Literal["auto", "always", "never"]
S = TypeVar("S")

_MOST_TOLD = 20
"""Problems that are told one by one."""

WORKSPACE = {"workspace": True}
"""Metadata of a field that a workspace may set too; in VS Code the others are the user's alone.

Others write what is in a workspace: it may shape suggestions, switch off and add to a list. It
names no model, program or host, and does not switch on what the user has switched off.
"""


@dataclass(frozen=True, slots=True)
class FimSettings:
    """The model that completes code."""

    model: str = ""
    """A name that `caret models` lists, a Hugging Face id or a path; at an endpoint of your own,
    the name that its server knows. Empty: the default model, or the server's only one."""
    endpoint: str = ""
    """URL of an OpenAI-compatible server that takes `suffix`, such as `http://gpu-box:8000`: the
    text around the caret goes there once you have
    [allowed that server](settings.md#servers-and-keys), with the key in the environment variable
    `CARET_API_KEY` if it is for that server. Empty: the engine on this machine."""
    format: str = ""
    """How the model's weights are held in memory: a name from [formats](formats.md). Empty: what
    suits this machine. Editors share a model in memory: the value of the first counts."""


@dataclass(frozen=True, slots=True)
class InstructSettings:
    """The model that explains, fixes, tests and documents code."""

    model: str = ""
    """As `caret.fim.model`, of a model that follows instructions; it is loaded when it is first
    asked. Empty: the one that completes answers too, or if it cannot, the default one. See
    [roles](models.md#roles)."""
    endpoint: str = ""
    """URL of an OpenAI-compatible server with `/v1/chat/completions`: questions go there, and the
    code that they are about, but no text of other files, once you have
    [allowed that server](settings.md#servers-and-keys). The key is in the environment variable
    `CARET_INSTRUCT_API_KEY`, or in `CARET_API_KEY` where `caret.fim.endpoint` names no other
    server."""
    safety_prompt: bool = False
    """Begin every conversation with the safety prompt that Meta publishes for Llama 2 and Code
    Llama, whichever model answers. Models refuse more with it, and also what is harmless."""
    format: str = ""
    """As `caret.fim.format`."""
    window: int = 3072
    """Tokens of a question, about: 512 to 32768. The larger, the more of the code around the place
    goes in, and the longer the answer takes to begin."""
    max_tokens: int = field(default=1024, metadata=WORKSPACE)
    """Longest answer, in tokens of the model: 16 to 8192."""

    def __post_init__(self) -> None:
        _check_range(self.window, 512, 32768)
        _check_range(self.max_tokens, 16, 8192)


@dataclass(frozen=True, slots=True)
class CompletionSettings:
    """What is suggested, and when."""

    enable: bool = field(default=True, metadata=WORKSPACE)
    """Suggest code."""
    multiline: Multiline = field(default="auto", metadata=WORKSPACE)
    """`auto`: a whole block where one begins, else one line. `always`: as far as the block
    goes. `never`: one line."""
    max_tokens: int = field(default=128, metadata=WORKSPACE)
    """Longest suggestion, in tokens of the model: 1 to 1024. Asked for by hand, one may have twice
    as many."""
    debounce_ms: int = 0
    """How long to wait for the next key before starting, in milliseconds: 0 to 5000. Editors
    wait by themselves, so 0 is right for most. A suggestion asked for by hand never waits."""
    read_ahead: bool = True
    """Let the model read the text around the caret while it has nothing else to do, so that the
    first suggestion at a new place does not have to wait for that. Off, it computes less."""
    confidence: float = field(default=0.54, metadata=WORKSPACE)
    """Hide suggestions that nobody asked for by hand and that the model is less sure of than this:
    0 shows all, 1 next to none; [how that is measured](statistics.md#confidence)."""

    def __post_init__(self) -> None:
        _check_range(self.max_tokens, 1, 1024)
        _check_range(self.debounce_ms, 0, 5000)
        _check_range(self.confidence, 0, 1)


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """What of the workspace the model gets to read, beside the text around the caret."""

    recent: bool = field(default=True, metadata=WORKSPACE)
    """Show the model the places where you edited and completed last, in open files."""
    definitions: bool = field(default=True, metadata=WORKSPACE)
    """Show the model definitions, from other files of the workspace, of what the code around the
    caret names and imports."""
    search: bool = field(default=True, metadata=WORKSPACE)
    """Show the model pieces of other files that share rare words with the code around the caret.
    With this and `definitions` off, the workspace is not indexed."""
    window: int = 0
    """Tokens of the caret's file in a prompt, to which context adds a quarter at most: 256 to 7168;
    0 leaves it to the engine, which takes 1024. The larger, the more the model sees, and the longer
    the first suggestion at a new place takes; [what it costs](context.md#the-window)."""

    def __post_init__(self) -> None:
        _check_range(self.window or 256, 256, 7168)


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """What no model gets to read."""

    exclude: tuple[str, ...] = field(default=SECRET_FILES, metadata=WORKSPACE)
    """Patterns of files in which nothing is completed and whose text is never used, as in a
    `.gitignore` at the top of each folder of the workspace; `/home/me/x/**` and `~/x/**` count from
    the top of the disk and from your home folder, and `*.{pem,key}` is two patterns. Upper and
    lower case are the same, a symbolic link is judged by its own name and by its target's, and a
    backup of an excluded file (`.bak`, `~`) is excluded too. Your list replaces this one."""


@dataclass(frozen=True, slots=True)
class StatisticsSettings:
    """What `caret stats` tells."""

    enable: bool = True
    """Count suggestions, acceptances and times in a file on this machine, which is sent to nobody
    and has no code, file names or paths in it; [all of it](statistics.md#what-is-counted)."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """The process that holds the model. All editors share it: the values of the first count."""

    memory: float = 0
    """Memory that the engine may use, in GB (2^30 bytes); 0 sets no limit."""
    threads: int = 0
    """Processor threads for the model; 0 lets Caret decide."""
    idle_minutes: float = 30
    """The engine ends when nobody has asked it for anything for so many minutes; 0: never."""

    def __post_init__(self) -> None:
        _check_range(self.memory, 0, 2**20)
        _check_range(self.threads, 0, 1024)
        _check_range(self.idle_minutes, 0, 525_600)


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole section."""

    fim: FimSettings = field(default_factory=FimSettings)
    instruct: InstructSettings = field(default_factory=InstructSettings)
    completion: CompletionSettings = field(default_factory=CompletionSettings)
    context: ContextSettings = field(default_factory=ContextSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    statistics: StatisticsSettings = field(default_factory=StatisticsSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)


def read_settings(*sections: object) -> tuple[Settings, list[str]]:
    """Settings from values of the section, later ones on top, and what is wrong with them.

    A value that is missing or null leaves what an earlier one said, or the default.
    """
    problems: list[str] = []
    settings = Settings()
    for section in sections:
        settings = _read(settings, _nested(section), "caret", problems)
    for problem in exclusion_of(settings.privacy.exclude).problems:
        problems.append(f"caret.privacy.exclude: {problem}; it excludes nothing.")
    told = list(dict.fromkeys(problems))
    if len(told) > _MOST_TOLD:
        told[_MOST_TOLD:] = [f"caret has {len(told) - _MOST_TOLD:,} more wrong settings."]
    return settings, told


def _nested(section: object) -> object:
    """Return a section without its own name, and with groups for dotted names: some send these."""
    if not isinstance(section, Mapping):
        return section
    own = section.get("caret")
    found: dict[str, Any] = {}
    if isinstance(own, Mapping):
        section = {key: value for key, value in section.items() if key != "caret"} | {**own}
    for key, value in section.items():
        group, dot, name = key.removeprefix("caret.").partition(".")
        new, there = {name: value} if dot else value, found.get(group, {})
        both = isinstance(new, Mapping) and isinstance(there, Mapping)
        found[group] = there | new if both else new
    return found


def camel_case(name: str) -> str:
    """A field's name as editors write it.

    >>> camel_case("max_tokens")
    'maxTokens'
    """
    return re.sub("_(.)", lambda found: found[1].upper(), name)


def _read(base: S, given: object, path: str, problems: list[str]) -> S:
    """`base` with the given values in place of its own where they are right."""
    if given is None:
        return base
    if not isinstance(given, Mapping):
        problems.append(
            f"{path} must be an object of settings, not {reprlib.repr(given)}; ignored."
        )
        return base
    names = {camel_case(name): name for name in get_type_hints(type(base))}
    for key, value in given.items():
        where = f"{path}.{key}"
        if key not in names:
            problems.append(f"{where} is not a setting of Caret; ignored.")
        elif value is not None:
            base = _set(base, names[key], value, where, problems)
    return base


def _set(base: S, name: str, value: object, where: str, problems: list[str]) -> S:
    current = getattr(base, name)
    if isinstance(current, tuple):
        value = _strings(value, where, problems)
    try:
        if dataclasses.is_dataclass(current):
            new: object = _read(current, value, where, problems)
        else:
            new = _checked(value, get_type_hints(type(base))[name])
        changed: S = dataclasses.replace(base, **{name: new})  # type: ignore[type-var]  # S is one
    except ValueError as error:
        problems.append(
            f"{where} {error}, not {reprlib.repr(value)}; {reprlib.repr(current)} is used."
        )
        return base
    return changed


def _strings(value: object, where: str, problems: list[str]) -> object:
    """Return the strings in a list; what else is in it is reported and costs none of them."""
    kept = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    if not kept or not isinstance(value, list):
        return value
    wrong = [item for item in value if not isinstance(item, str)]
    problems += [f"{where}: {reprlib.repr(item)} is not a string; ignored." for item in wrong]
    return kept


def _checked(value: object, hint: Any) -> object:  # noqa: ANN401 - a typing form
    """The value if it is of the field's type exactly: no number from a string, no flag from one."""
    if get_origin(hint) is Literal:
        if value in get_args(hint):
            return value
        raise ValueError(f"must be one of {', '.join(get_args(hint))}")
    fits, description = _KINDS[hint]
    if not fits(value):
        raise ValueError(f"must be {description}")
    return tuple(value) if isinstance(value, list) else value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_strings(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


_KINDS: dict[Any, tuple[Callable[[object], bool], str]] = {
    bool: (lambda value: isinstance(value, bool), "true or false"),
    int: (lambda value: _is_number(value) and not isinstance(value, float), "a whole number"),
    float: (_is_number, "a number"),
    str: (lambda value: isinstance(value, str), "a string"),
    tuple[str, ...]: (_is_strings, "a list of strings"),
}


def _check_range(value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"must be from {low} to {high}")
