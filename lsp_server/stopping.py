"""Where a completion ends, decided line by line while it streams."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from typing import TYPE_CHECKING

from lsp_server import docstrings
from lsp_server.blocks import CASE_END, first_word, with_heading, words
from lsp_server.brackets import Balance, first_surplus, indent
from lsp_server.lexing import after_string, open_quote
from lsp_server.overlap import drop_tail_overlap, repeats
from lsp_server.repetition import LOOK_BACK, circle, stutter
from lsp_server.shape import grown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsp_server.context import Site
    from lsp_server.shape import Shape
    from lsp_server.syntax import Syntax

_LEADING_LINES = {"inline": 0, "line": 1, "block": 3}
"""Line ends that a completion may begin with: the caret's line may be complete."""
_MOST_BLANK = 3
_MORE_LINES = 4
"""As many more lines may a statement take that does not parse at its first line's end."""
_LONG_LINE = 120
_LETTERS = string.ascii_letters
_CLOSERS = re.compile(r"\s*[)\]}]+[)\]};]*")
_GOES_ON = re.compile(r"\\\s*$")
"""A line that its last character joins with the next one."""


class Ending:
    """Follows one completion and says where it ends, as soon as that can be told."""

    def __init__(self, site: Site, shape: Shape, syntax: Syntax | None = None) -> None:
        """`syntax` tells whether a statement is whole where brackets and indentation do not."""
        self._site, self._shape, self._syntax = site, shape, syntax
        self._words = words(site.language)
        self._quote = open_quote(site)
        self._balance = Balance(site.language)
        self._below = site.below[0] if site.below else None
        self._text = ""
        self._at = 0
        """Where the line begins that is not whole yet."""
        self._lines: list[str] = []
        """Whole ones, without white space at their ends."""
        self._body = 0
        """Index of the first line that can lie outside of the block."""
        self._own = False
        """The block was opened by the model, not by who typed."""
        self._half: list[int] = []
        """Ends of lines at which a statement might end, but does not parse."""
        self._text_goes_on = False
        self._holds_open = False
        """The whole lines leave brackets open that they opened."""
        self._triple = docstrings.open_before(site)
        """The quotes of the Python string that the last whole line leaves open."""
        self._in_prose = bool(self._triple)
        """The caret stands in such a string, often a docstring: one line of it is enough."""

    def find(self, text: str, *, final: bool) -> int | None:
        """Length of the whole completion, or None while it has to go on.

        Args:
            text: what the model wrote so far; begins with what was given before.
            final: the model has ended, so the last line is whole.
        """
        self._text = text
        for start, line, whole in list(_lines(text, self._at, final=final)):
            self._balance.feed(after_string(text[: start + len(line)], self._quote))
            end = self._line_end(start, line, whole=whole)
            surplus = first_surplus(self._balance.closers, self._shape.wanted)
            if end is not None or surplus is not None:
                return min(offset for offset in (end, surplus) if offset is not None)
            if whole:
                self._keep(start, line)
        return len(text) if final else None

    def _keep(self, start: int, line: str) -> None:
        self._lines.append(line.strip())
        self._at = start + len(line) + 1
        self._text_goes_on = self._balance.open_text
        self._holds_open = bool(self._balance.openers)
        if self._site.language == "python":
            self._triple = docstrings.open_after(line, self._triple)

    def _line_end(self, start: int, line: str, *, whole: bool) -> int | None:
        """What one line, or its beginning, says."""
        if not line.strip():
            return self._blank_end(line, whole=whole)
        if whole or len(line) > _LONG_LINE:
            going_round = self._circle(start, line)
            if going_round is not None:
                return going_round
        if self._shape.kind == "block":
            return self._block_end(start, line, whole=whole)
        return self._statement_end(start, line) if whole else None

    def _blank_end(self, line: str, *, whole: bool) -> int | None:
        """Too many line ends before anything else: nothing at all; or one after the other."""
        if not any(self._lines) and len(line) > _LONG_LINE:
            return 0
        if not whole:
            return None
        if not any(self._lines):
            return 0 if len(self._lines) >= _LEADING_LINES[self._shape.kind] else None
        blank = not any(self._lines[-_MOST_BLANK:])
        return self._at if blank and not self._in_text else None

    @property
    def _in_text(self) -> bool:
        """Whether the line begins inside of a string or comment with several lines."""
        return bool(self._triple) or self._text_goes_on

    def _circle(self, start: int, line: str) -> int | None:
        again = stutter(line)
        if again is not None:
            return start + again
        repeated = circle([*self._lines[1 - LOOK_BACK :], line.strip()])
        return self._back(repeated - 1, start) if repeated else None

    def _back(self, count: int, start: int) -> int:
        """Where the line begins that stands so many lines above the one that begins at `start`."""
        for _ in range(count):
            start = self._text.rfind("\n", 0, start - 1) + 1
        return start

    def _statement_end(self, start: int, line: str) -> int | None:
        """At the end of a line, unless it opens something or is only a statement's beginning."""
        end = start + len(line)
        if self._shape.kind == "inline" or not self._shape.grows or self._in_prose:
            return end
        if self._balance.open_text or docstrings.open_after(line, self._triple):
            return None
        return self._end_of_whole(end)

    def _end_of_whole(self, end: int) -> int | None:
        """`end`, or None where the line that ends there asks for more."""
        written = [self._site.above, *(self._site.head + self._text[:end]).split("\n")]
        above = next((each for each in reversed(written[:-1]) if each.strip()), "")
        opener = with_heading(written[-1], above)
        block = grown(opener, self._site, own_brackets=bool(self._balance.openers))
        if block:
            self._grow(block)
            return None
        if _GOES_ON.search(opener):
            return None
        if self._is_half(self._text[:end]):
            self._shape = replace(self._shape, kind="line", grows=True)
            self._half.append(end)
            return self._half[0] if len(self._half) > _MORE_LINES else None
        return end

    def _is_half(self, text: str) -> bool:
        """Whether it is only the beginning of a statement, also without what follows it anyway."""
        if self._syntax is None or not self._syntax.is_worse(text):
            return False
        kept = drop_tail_overlap(text, self._site)
        return kept == text or self._syntax.is_worse(kept)

    def _grow(self, block: Shape) -> None:
        self._shape = replace(block, wanted=self._shape.wanted)
        self._body = len(self._lines) + 1
        self._own = True

    def _block_end(self, start: int, line: str, *, whole: bool) -> int | None:
        """The first line outside of the block, its own closer, or text that follows anyway."""
        number, end = len(self._lines), start + len(line)
        if self._is_outside(line):
            return self._outside_end(start, line, whole=whole)
        if not whole:
            return None
        if number and self._repeats_below(end):
            return start
        if not self._is_closed(line):
            return None
        typed = self._shape.ends == "bracket" and not self._own
        return self._end_of_whole(end) if typed else end

    def _is_outside(self, line: str) -> bool:
        """Whether the line's depth says that it lies behind the block.

        It says nothing in strings, in brackets that only the suggestion closes, of directives, and
        of a brace, which belongs to the line above.
        """
        number = len(self._lines)
        shallow = number > 0 and number >= self._body and indent(line) < self._shape.floor
        inside = self._in_text or (self._shape.closed and self._holds_open)
        return shallow and not inside and line.strip() != "{" and not self._is_directive(line)

    def _repeats_below(self, end: int) -> bool:
        """Whether the line that ends there is the one below the caret."""
        if self._below is None:
            return False
        lines = (self._site.head + self._text[:end]).split("\n")
        return repeats(lines, len(lines) - 1, self._below, self._site)

    def _is_directive(self, line: str) -> bool:
        """Those of C's preprocessor stand at the margin."""
        return self._site.language in ("cpp", "c") and line.startswith("#")

    def _is_closed(self, line: str) -> bool:
        """Whether a line inside of the block closes it."""
        if self._shape.ends == "bracket":
            return not self._balance.openers and (self._own or bool(self._balance.closers))
        if self._shape.ends == "word" and self._lines and indent(line) <= self._shape.floor:
            return self._words is not None and first_word(line) in self._words.ends
        return self._shape.ends == "branch" and line.rstrip().endswith(CASE_END)

    def _outside_end(self, start: int, line: str, *, whole: bool) -> int | None:
        """Before the line, or after the closers that it begins with when they are still missing."""
        if self._shape.needs and self._is_needed(line, whole=whole):
            return None
        if self._shape.closed or self._shape.ends in ("dedent", "branch"):
            return start
        if self._shape.ends == "word":
            return self._word_end(start, line, whole=whole)
        return self._bracket_end(start, line, whole=whole)

    def _is_needed(self, line: str, *, whole: bool) -> bool:
        """Whether the line begins the block that must follow, or may turn out to."""
        if not whole:
            return True
        if first_word(line) not in self._shape.needs:
            return _CLOSERS.fullmatch(line) is not None and self._shape.ends == "bracket"
        self._shape = replace(self._shape, needs=())
        return True

    def _word_end(self, start: int, line: str, *, whole: bool) -> int | None:
        if indent(line) < self._shape.floor - 1 or not self._may_begin(line, whole=whole):
            return start
        ended = whole and self._words is not None and first_word(line) in self._words.ends
        return start + len(line) if ended else None

    def _may_begin(self, line: str, *, whole: bool) -> bool:
        """Whether a line begins with a word that ends or parts a block, or may turn out to."""
        if self._words is None:
            return False
        word, known = first_word(line), (*self._words.ends, *self._words.parts)
        return word in known if whole else any(each.startswith(word) for each in known)

    def _bracket_end(self, start: int, line: str, *, whole: bool) -> int | None:
        found = _CLOSERS.match(line)
        if found is None and not self._may_begin(line, whole=whole):
            return start
        if not whole:
            return None
        if found and not line[found.end() :].strip()[:1].strip(_LETTERS):
            closed = start + found.end()
            if not self._is_half(self._text[:closed]):
                return closed
        return None if self._balance.openers else start + len(line)


def _lines(text: str, start: int, *, final: bool) -> Iterator[tuple[int, str, bool]]:
    """(offset, line without its end, whether it is whole) of those from `start` on."""
    while (end := text.find("\n", start)) >= 0:
        yield start, text[start:end], True
        start = end + 1
    yield start, text[start:], final
