"""From token bytes to text, and the strings at which text ends."""

from __future__ import annotations

import codecs


class TextStream:
    """Turns bytes as tokens write them into text, holding back half a character.

    Bytes that make no character are dropped, at the end too, where an answer may be cut in one:
    a U+FFFD in the text is one that the model wrote.
    """

    def __init__(self, skip: int = 0) -> None:
        """`skip`: leading bytes to drop, which the user has typed already (token healing)."""
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        self._skip = skip

    def push(self, data: bytes) -> str:
        """The text that is certain after these bytes."""
        dropped = min(self._skip, len(data))
        self._skip -= dropped
        return self._decoder.decode(data[dropped:])


class StopStrings:
    """Cuts a stream of text before the first stop string, wherever the pieces break."""

    def __init__(self, stops: tuple[str, ...], *, one_line: bool = False) -> None:
        """`one_line`: a line end that follows anything but white space is a stop as well."""
        self._stops = tuple(stop for stop in stops if stop)
        self._one_line, self._begun = one_line, False
        self._held = ""
        self.stopped = False

    def push(self, text: str) -> str:
        """The part of `text` that can be shown; sets `stopped` when a stop string was met."""
        text = self._held + text
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if self._one_line and (end := self._line_end(text)) >= 0:
            found.append(end)
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        keep = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def _line_end(self, text: str) -> int:
        blank = 0 if self._begun else len(text) - len(text.lstrip())
        self._begun = self._begun or blank < len(text)
        return text.find("\n", blank)

    def flush(self) -> str:
        """What was held back, at the end of generation."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that begins `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
