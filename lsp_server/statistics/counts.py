"""What is counted, and under which names: a number for each day, language and name."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

COUNTS = {
    "shown": "suggestions that were shown, each once however much of it was typed",
    "accepted": "suggestions of which something was accepted",
    "whole": "acceptances of a whole suggestion at once",
    "word": "acceptances of a part, of one word at most",
    "line": "acceptances of a longer part",
    "kept": "acceptances that stood unchanged after 30 s, but for white space",
    "changed": "acceptances of which some lines stood after 30 s",
    "gone": "acceptances of which no line stood after 30 s",
    "characters": "characters saved: those accepted, without indentation, less one key for each",
    "tokens": "tokens that the model wrote for suggestions that were sent",
    "model_ms": "milliseconds that it took for them, with reading what was new before the caret",
}
SOURCES = {
    "model": "The model was asked.",
    "cache": "It was the rest of what had been predicted before.",
    "joined": "It was being written already, for a key before.",
}
"""Where an answer came from. Answers are counted as "SOURCE BUCKET", by the time they took."""

_STEPS = 4
"""Buckets for each doubling of the time: a percentile is right within 9 %."""
_SLOWEST = 100
"""Bucket of all that took longer than nine hours."""
_LANGUAGE = re.compile(r"[A-Za-z0-9+#_-]{1,24}")


class Key(NamedTuple):
    """What a number is of."""

    day: str
    """As 2026-01-31."""
    language: str
    name: str
    """One of `COUNTS`, or a source and a bucket."""


def language_name(language: str) -> str:
    """An editor's language id; "other" for none, and for what might be something else.

    >>> language_name("c++"), language_name(""), language_name("/home/me/a.py")
    ('c++', 'other', 'other')
    """
    return language if _LANGUAGE.fullmatch(language) else "other"


def bucket_name(source: str, seconds: float) -> str:
    """The name under which an answer is counted."""
    bucket = round(_STEPS * math.log2(max(seconds * 1000, 1)))
    return f"{source} {min(bucket, _SLOWEST)}"


def bucket_ms(bucket: int) -> float:
    """Milliseconds in the middle of a bucket."""
    return float(2 ** (bucket / _STEPS))
