"""The result of one row of `make torture`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers that were measured, and those that are wanted."""

    told: str
    """One line for a person."""
    off: tuple[str, ...] = ()
    """The figures that are not as wanted, each in words; empty where all is well."""
