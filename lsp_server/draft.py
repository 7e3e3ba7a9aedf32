"""One completion while it streams in."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from engine.api import Usage
from lsp_server.confidence import Token, first_line, score
from lsp_server.documents import joined
from lsp_server.hole import filling, is_past
from lsp_server.indentation import undoubled
from lsp_server.postprocess import Place, polish
from lsp_server.stopping import Ending
from lsp_server.syntax import Syntax

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.api import FinishReason, Piece
    from lsp_server.context import Site
    from lsp_server.shape import Shape

MOST_CHARACTERS, MOST_LINES = 8_000, 400
"""Limits of the text that a model writes at one cursor; the rules read all of it."""
_BRACKETS = re.compile(r"(?:[^()\[\]{}]*+[()\[\]{}]){1500}")
"""Text up to the last bracket that one suggestion may have; real code has fewer."""
_LONG_LINE = 120
"""Characters after which a line is checked even though it is not complete."""
_ODD = re.compile("[\0-\x08\x0b\r\x0e-\x1f\x7f\ud800-\udfff\ufeff]")
_LINE_END = re.compile(r"\r\n|\r(?!\Z)")
_UNFIT = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f\udc00-\udfff\ufeff]|[\ud800-\udbff](?!\\Z)")
"""Control characters, byte order marks, and halves of a character that no other half follows."""
_HALF = re.compile("[\r\ud800-\udbff]\\Z")


class Draft:
    """Collects pieces and knows when the completion is whole."""

    def __init__(self, site: Site, shape: Shape, least: float = 0.0) -> None:
        """`least` is the score that its first line must have, for more of it to be wanted."""
        self.site, self._shape, self._least = site, shape, least
        self._syntax = Syntax(site)
        self._ending = Ending(site, shape, self._syntax)
        self._text = ""
        self._begins = False
        self.tokens: list[Token] = []
        """What came, where the server says how sure of it the model was."""
        self.doubted = False
        """Given up before it was whole, for the score of its first line."""
        self._end: int | None = None
        self._reason: FinishReason | None = None
        self._usage: Usage | None = None
        self._pieces = 0
        self._times = [time.perf_counter()]

    def add(self, piece: Piece) -> bool:
        """Take one more piece; True when no more are needed."""
        self._times[1:] = [*self._times[1:2], time.perf_counter()]
        text = _plain(self._text, piece.text)
        self._text = _beginning(text)
        too_long = len(self._text) < len(text)
        if not self._begins and self._text.strip():
            self._begins, self._text = True, undoubled(self._text, self.site)
        self.tokens += _tokens(piece)
        self._pieces += bool(piece.text)
        self._reason = piece.finish_reason or self._reason
        if too_long:  # a server that knows no `max_tokens`
            self._reason = "length"
        self._usage = piece.usage or self._usage
        if self._end is None:
            self._end = self._ending.find(self._text, final=self._reason not in (None, "length"))
        whole = self._reason is not None or self._is_enough(piece)
        self.doubted = not whole and self._is_doubtful()
        return whole or self.doubted

    def text(self) -> str:
        """What to insert, once no more is to come."""
        self._text = _HALF.sub("", self._text)
        return self._filling() or self._beginning()

    def _filling(self) -> str:
        """All of what the model wrote up to the hole's end; "" where that is not told or breaks."""
        ended = self._reason != "length"
        text = filling(self._text, self.site, ended=ended) if self.fills else ""
        return polish(text, Place(self.site, self._shape, self._syntax))

    def _beginning(self) -> str:
        """As far as the shape goes."""
        unfinished = self._end is None and self._reason == "length"
        if self._end is None and not unfinished:
            self._end = self._ending.find(self._text, final=True)
        text = self._text[: self._end]
        return polish(text, Place(self.site, self._shape, self._syntax, unfinished))

    def may_become(self, typed: str) -> bool:
        """Whether what came so far agrees with what was typed, as far as either goes."""
        return self._text.startswith(typed) or typed.startswith(self._text)

    @property
    def fills(self) -> bool:
        """See `Shape.fills`."""
        return self._shape.fills

    @property
    def begun(self) -> bool:
        """Whether anything has come yet."""
        return bool(self._text)

    @property
    def usage(self) -> Usage:
        """As the engine counted; else as seen from here, a piece for a token."""
        if self._usage:
            return self._usage
        first = self._times[1:2] or self._times
        return Usage(
            completion_tokens=self._pieces,
            prefill_ms=(first[0] - self._times[0]) * 1000,
            decode_ms=(self._times[-1] - first[0]) * 1000,
        )

    def _is_enough(self, piece: Piece) -> bool:
        """Return whether what is to be inserted is there, as each line shows once it is whole."""
        if not self.fills:
            return self._end is not None
        line = len(self._text) - self._text.rfind("\n")
        return ("\n" in piece.text or line > _LONG_LINE) and is_past(self._text, self.site)

    def _is_doubtful(self) -> bool:
        """Whether the first line is whole, and the model too unsure of it."""
        line = first_line(self._text)
        if not self._least or line == self._text:
            return False
        sure = score(self.tokens, line)
        return sure is not None and sure < self._least


def _plain(text: str, more: str) -> str:
    r"""Return a text with more of it, as an editor can take it: with `\n` line ends.

    Its last character may be half of one, or of a line end.

    >>> _plain("a\r", "\nb\rc\0"), _plain("a\ud83d", "\ude00\ude00")
    ('a\nb\nc', 'a😀')
    """
    whole = text + more
    if not _ODD.search(whole, max(len(text) - 1, 0)):
        return whole
    return _UNFIT.sub("", joined(_LINE_END.sub("\n", whole)))


def _beginning(text: str) -> str:
    """Return as much of a text as one suggestion may hold."""
    if found := _BRACKETS.match(text, 0, MOST_CHARACTERS):
        text = found[0]
    return "\n".join(text[:MOST_CHARACTERS].split("\n", MOST_LINES)[:MOST_LINES])


def _tokens(piece: Piece) -> Iterator[Token]:
    start = 0
    for end, logprob in piece.token_scores:
        yield Token(piece.text[start:end], logprob)
        start = end
