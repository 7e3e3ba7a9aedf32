"""What was predicted, so that typing it costs no model call. A pure data structure."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lsp_server.autoclose import before_closers, closers_put_in
from lsp_server.confidence import score
from lsp_server.context import SUFFIX_GRID
from lsp_server.overlap import drop_lines_below, drop_tail_overlap

if TYPE_CHECKING:
    from engine.api import Usage
    from lsp_server.confidence import Token
    from lsp_server.context import Site

KEPT = 128
"""Predictions of all documents together; one holds at most some 24,000 characters."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A completion, and the caret that it is for."""

    document: str
    site: Site
    text: str
    """What may be inserted there."""
    seconds: float
    """Time the model took."""
    tokens: tuple[Token, ...] = ()
    """What the model wrote, and how sure it was; `typed` and `text` are its beginning."""
    typed: str = ""
    """What has been typed of it."""
    fills: bool = False
    """It goes as far as the model did by itself, see `Shape.fills`."""
    usage: Usage | None = None
    """What it cost."""
    number: int = field(default_factory=itertools.count(1).__next__)
    """Of the prediction; the same however much of it has been typed."""

    @property
    def score(self) -> float | None:
        """How sure the model was of `text`, see `confidence.score`."""
        return score(self.tokens, self.text, self.typed)

    def at(self, site: Site) -> Prediction | None:
        """The part still to be typed at a later caret.

        None where anything but this text was typed, where all of it was, and where only that is
        left which stands after the caret anyway.
        """
        typed = _typed(self.site, site)
        if typed is None or not self.text.startswith(typed):
            return None
        put = _put_in(typed, self.site, site)
        if put is None:
            return None
        rest = before_closers(self.text[len(typed) :], put, site)
        new = drop_lines_below(drop_tail_overlap(rest, site), site)
        typed = self.typed + typed
        return replace(self, site=site, text=rest, typed=typed) if new.strip() else None


class Predictions:
    """The last ones, found by the text around the caret."""

    def __init__(self) -> None:
        self._newest_first: deque[Prediction] = deque(maxlen=KEPT)
        self._shown: deque[int] = deque(maxlen=KEPT)

    def add(self, prediction: Prediction) -> None:
        """Remember one more, unless it is empty; the oldest goes when there are too many."""
        if prediction.text:
            self._newest_first.appendleft(prediction)

    def show(self, prediction: Prediction) -> None:
        """Remember that it was an answer."""
        if not self.was_shown(prediction):
            self._shown.append(prediction.number)

    def was_shown(self, prediction: Prediction) -> bool:
        """Whether it was an answer, before some of it was typed or after."""
        return prediction.number in self._shown

    def find(self, document: str, site: Site, *, fills: bool = False) -> Prediction | None:
        """The newest one that holds at this caret, as it looks from there.

        With `fills`, of those that do.
        """
        known_here = (known for known in self._newest_first if known.document == document)
        mine = (known for known in known_here if known.fills or not fills)
        return next((found for known in mine if (found := known.at(site))), None)

    def forget(self, document: str) -> None:
        """Drop all of a document."""
        kept = [known for known in self._newest_first if known.document != document]
        self._newest_first = deque(kept, maxlen=KEPT)


def typed_between(then: Site, now: Site) -> str | None:
    """What was typed to get from one caret to another; None if anything else is different.

    The windows may have moved in between: then what both of them show must be equal. Brackets and
    quotes that the editor has closed by itself, for what was typed, are no difference.
    """
    typed = _typed(then, now)
    return None if typed is None or _put_in(typed, then, now) is None else typed


def _typed(then: Site, now: Site) -> str | None:
    """What the text before the caret has more; None if anything else is different there."""
    if then.context != now.context:
        return None
    lines = now.first_line - then.first_line
    *dropped, before = then.prefix.split("\n", max(lines, 0))
    if len(dropped) != lines or not now.prefix.startswith(before):
        return None
    return now.prefix[len(before) :]


def _put_in(typed: str, then: Site, now: Site) -> str | None:
    """What the editor put behind the caret for what was typed; None if more is different there."""
    for put in closers_put_in(typed, now.suffix):
        after = now.suffix[len(put) :]
        same = then.suffix == after and then.goes_on == now.goes_on
        if same or ("\n" in typed and _same_but_moved(then, now, after)):
            return put
    return None


def _same_but_moved(then: Site, now: Site, after: str) -> bool:
    """Whether the text below differs only in where its window ends, which is on a grid."""
    short, long = sorted((then.suffix, after), key=len)
    rest = long.removeprefix(short)
    both_go_on = then.goes_on and now.goes_on
    return both_go_on and len(rest) < len(long) and rest.count("\n") < SUFFIX_GRID
