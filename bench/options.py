"""Options that several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def with_options(command: Callable[..., object], options: Sequence[Callable[[Any], Any]]) -> Any:  # noqa: ANN401 - what click decorates is called by click, whatever it takes
    r"""`command` with click's options, the first one at the top of its help.

    A line `\b` in its docstring, which is raw, keeps the lines of a paragraph as they are.
    """
    command.__doc__ = (command.__doc__ or "").replace(r"\b", "\b")
    for option in reversed(options):
        command = option(command)
    return command
