"""Finds the end of a remote server's answer, if the server does not see it itself.

Some servers send their model's control tokens as text, or let a model that is asked to fill in the
middle answer as in a chat. Our own engine does neither.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from engine.errors import AnswerUnusable
from engine.stop import StopStrings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.api import Piece

_NAMES = (
    *("<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<fim_pad>"),
    *("<fim-prefix>", "<fim-suffix>", "<fim-middle>", "<fim-pad>"),
    *("<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>"),
    *("<file_sep>", "<repo_name>", "<gh_stars>", "<jupyter_start>", "<issue_start>"),
    *("<PRE>", "<SUF>", "<MID>", "<EOT>", "▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"),
    *("</s>", "<eos>", "<bos>", "<end_of_turn>", "<start_of_turn>", "[/INST]", "[MIDDLE]"),
)
"""Control tokens that cannot be recognized by their shape alone."""
_MARK = re.compile(
    r"<[|｜][^\s<>|｜]{1,40}[|｜]>|(?<!<)(?:" + "|".join(map(re.escape, _NAMES)) + ")"
)
_HALF = re.compile(r"<(?:[|｜][^\s<>|｜]{0,40}[|｜]?)?\Z")
_FENCE = re.compile(r"^[ \t]*(```)", re.MULTILINE)
_PROSE = (".md", ".markdown", ".mdx", ".qmd", ".rmd", ".rst", ".txt", ".adoc", ".tex", ".org")
_OPENERS = (
    *("Sure!", "Sure,", "Certainly!", "Certainly,", "Of course!", "Of course,", "Absolutely!"),
    *("Here is the", "Here is a", "Here is an", "Here is how", "Here's the", "Here's a"),
    *("Here's an", "Here's how", "Here are", "I'm sorry", "I apologize", "I cannot", "I can't"),
    *("As an AI", "It looks like you", "It looks like the", "It seems like", "It seems that"),
    *("Based on the", "To complete the", "To complete this", "The code you", "The provided code"),
    *("The given code", "The missing code", "You can complete", "The function should"),
)
"""Phrases with which a chat answer begins, instead of code."""
_THOUGHT = "<think>"
"""Tag with which a reasoning model begins its answer."""


class Ending(Protocol):
    """Passes on the pieces of a text up to its end."""

    ended: bool

    def push(self, text: str) -> str:
        """Return the part of the text so far that certainly counts and was not yet returned."""

    def flush(self) -> str:
        """Return what was held back, at the end of the answer."""


def _half(text: str, names: Iterable[str]) -> int:
    """Return the length of the end of `text` that may begin a control token."""
    found = _HALF.search(text)
    longest = len(text) - found.start() if found else 0
    for name in names:
        for length in range(min(len(name) - 1, len(text)), longest, -1):
            if text.endswith(name[:length]):
                longest = length
                break
    return longest


class InfillEnding:
    """Ends a completion before a control token or a fence that its document does not spell."""

    def __init__(self, prefix: str, suffix: str, path: str) -> None:
        document = prefix + suffix
        self.ended = False
        self._document, self._held, self._blank = document, "", True
        self._line = prefix[prefix.rfind("\n") + 1 :]
        code = not path.lower().endswith(_PROSE)
        self._fenced = not code or "```" in document
        openers = _OPENERS if code and not self._line.strip() and not _talks(prefix) else ()
        openers = openers if self._fenced else (*openers, "```")
        self._openers = openers if _THOUGHT in document else (*openers, _THOUGHT)

    def push(self, text: str) -> str:
        """See `Ending.push`; raises AnswerUnusable for an answer as in a chat."""
        text = self._held + text
        end = self._end(text)
        self.ended = end is not None
        if end is None:
            end = len(text) - self._uncertain(text)
        shown, self._held = text[:end], "" if self.ended else text[end:]
        self._blank = self._blank and not shown.strip()
        self._line = (self._line + shown).rpartition("\n")[2]
        return shown

    def flush(self) -> str:
        """See `Ending.flush`."""
        held, self._held = self._held, ""
        return held

    def _end(self, text: str) -> int | None:
        """Return the index at which the text ends, or None if no end is seen."""
        if self._blank and text.lstrip().startswith(self._openers):
            raise _chatting()
        line, before = self._line + text, len(self._line)
        marks = (mark for mark in _MARK.finditer(line, before) if not self._spells(mark))
        ends = [mark.start() - before for mark in marks][:1]
        if fence := None if self._fenced else _FENCE.search(line):
            ends.append(max(fence.start() - before, 0))
        return min(ends, default=None)

    def _spells(self, mark: re.Match[str]) -> bool:
        """Return whether a control token is part of the code, and not the end of the answer.

        That is so if the document has the token, or any such token while this one is in quotes, or
        if it closes a tag of the document or of the answer.
        """
        name, tag = mark[0], mark[0].replace("/", "")
        quoted = mark.string[: mark.start()].endswith(("'", '"', "`"))
        closes = tag != name and tag in mark.string[: mark.start()]
        known = name in self._document or tag in self._document or closes
        return known or (quoted and _MARK.search(self._document) is not None)

    def _uncertain(self, text: str) -> int:
        """Return the length of the end of `text` that is unclear until more follows."""
        held = _half(text, _NAMES)
        if not self._fenced and not (line := (self._line + text).rpartition("\n")[2]).strip(" \t`"):
            held = max(held, min(line.count("`"), len(text)))
        begun = text.lstrip()
        if self._blank and begun and any(opener.startswith(begun) for opener in self._openers):
            held = max(held, len(begun))
        return held


def _talks(prefix: str) -> bool:
    """Return whether the cursor is likely to be in a comment or a docstring."""
    quoted = prefix.count('"""') % 2 or prefix.count("'''") % 2
    return bool(quoted) or prefix.rfind("/*") > prefix.rfind("*/")


def _chatting() -> AnswerUnusable:
    return AnswerUnusable(
        "The server at the endpoint answered as in a chat instead of filling in the middle. Use a "
        "model made for that, such as qwen2.5-coder:1.5b-base in Ollama."
    )


class ChatEnding:
    """Drops a control token at the end of a chat answer; elsewhere it may be part of the text."""

    def __init__(self) -> None:
        self.ended = False
        self._held = ""

    def push(self, text: str) -> str:
        """See `Ending.push`."""
        text = self._held + text
        *_, last = [None, *_MARK.finditer(text)]
        at = len(text) - _half(text, _NAMES)
        if last and not text[last.end() :].strip():
            at = last.start()
        shown, self._held = text[:at], text[at:]
        return shown

    def flush(self) -> str:
        """See `Ending.flush`."""
        held, self._held = self._held, ""
        return "" if _MARK.match(held) else held


class Choice:
    """One choice of an answer, of which each piece comes here in turn."""

    def __init__(self, ending: Ending, stops: tuple[str, ...], most: int) -> None:
        """End it as `ending` says, before each of `stops`, and after `most` characters."""
        self._ending, self._stops, self._room = ending, StopStrings(stops), most
        self.ended = False
        self.cut = False
        """True once Caret has ended the text, although the server may send more."""

    def take(self, piece: Piece) -> Piece:
        """Return the piece with the text that counts, and the last one with a reason."""
        text = self._stops.push(self._ending.push(piece.text))
        reason, stopped = piece.finish_reason, self._ending.ended or self._stops.stopped
        if stopped:
            reason = "stop"
        elif reason:
            text += self.rest()
        if len(text) > self._room:
            text, reason, stopped = text[: self._room], "length", True
        self._room -= len(text)
        self.ended, self.cut = reason is not None, stopped
        if text == piece.text:
            return replace(piece, finish_reason=reason)
        return replace(piece, text=text, finish_reason=reason, logprob=None, token_scores=())

    def rest(self) -> str:
        """Return the text that was held back, once the server has sent all."""
        return self._stops.push(self._ending.flush()) + self._stops.flush()
