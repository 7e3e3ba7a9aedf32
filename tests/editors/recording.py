"""What an editor draws over time, as one SVG that moves and begins again at its end.

Every line of the screen is a strip of all that it has been, and moves by whole steps: a picture of
hundreds of frames so stays small, needs no script and plays where a README is shown.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from tests.editors.grid import Grid, Run

_WIDTH, _HEIGHT = 8.4, 18
"""Of a cell, in pixels."""
_MARGIN, _BAR = 12, 34
_END_S = 3.0
"""For how long the last frame stands."""
_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">
<style>
text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; \
white-space: pre }}
.b {{ font-weight: bold }} .i {{ font-style: italic }}
@media (prefers-reduced-motion: reduce) {{ g {{ animation-play-state: paused !important }} }}
{motion}
</style>
<rect width="{width}" height="{height}" rx="9" fill="{back}" stroke="#80808066"/>
<g fill="#ff5f57"><circle cx="19" cy="17" r="6"/><circle cx="39" cy="17" r="6" fill="#febc2e"/>\
<circle cx="59" cy="17" r="6" fill="#28c840"/></g>
<text x="{middle}" y="22" text-anchor="middle" fill="#9a9ca5">{title}</text>
"""


@dataclass
class Recording:
    """Takes a grid's frames from now on."""

    grid: Grid
    longest_s: float
    """Longer waits are cut to this."""
    _frames: list[tuple[float, list[list[Run]]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._take()
        self.grid.drawn = self._take

    def _take(self) -> None:
        self._frames.append((time.monotonic(), self.grid.rows()))

    def svg(self, title: str) -> str:
        """The film."""
        ends = [begin for begin, _ in self._frames[1:]]
        shown = zip(self._frames, ends, strict=False)
        lasts = [min(end - begin, self.longest_s) for (begin, _), end in shown] + [_END_S]
        whole, begins = sum(lasts), [sum(lasts[:n]) for n in range(len(lasts))]
        ground, parts, motion = self.grid.background, [], []
        for number in range(len(self._frames[0][1])):
            states = [_drawn(rows[number], ground) for _, rows in self._frames]
            changes = _changes(states, begins)
            strip, stops = _strip(changes, whole)
            parts.append(_line(number, strip))
            if len(stops) > 1:
                motion.append(f"@keyframes k{number} {{ {' '.join(stops)} }}")
                timing = f"animation: k{number} {whole:.2f}s step-end infinite"
                motion.append(f"#l{number} {{ {timing} }}")
        columns = sum(cell_len(text) for text, _ in self._frames[0][1][0])
        width = round(columns * _WIDTH) + 2 * _MARGIN
        head = _HEAD.format(
            width=width,
            height=len(parts) * _HEIGHT + _BAR + _MARGIN,
            middle=width // 2,
            back=ground,
            title=escape(title),
            motion="\n".join(motion),
        )
        return head + "\n".join(parts) + "\n</svg>\n"


def _changes(states: list[str], begins: list[float]) -> list[tuple[float, str]]:
    """When a line changed, and what it is from then on."""
    pairs = zip(begins, states, ["", *states], strict=False)
    return [(begin, now) for begin, now, before in pairs if now != before or not begin]


def _strip(changes: list[tuple[float, str]], whole: float) -> tuple[list[str], list[str]]:
    """Each different state once, and which of them is where it can be seen, by time."""
    strip = list(dict.fromkeys(drawn for _, drawn in changes))
    stops = [
        f"{100 * begin / whole:.3f}% {{ transform: translateY({-strip.index(drawn) * _HEIGHT}px) }}"
        for begin, drawn in changes
    ]
    return strip, stops


def _line(number: int, strip: list[str]) -> str:
    states = [
        f'<g transform="translate(0 {at * _HEIGHT})">{drawn}</g>' if at else drawn
        for at, drawn in enumerate(strip)
        if drawn
    ]
    place = f'x="{_MARGIN}" y="{_BAR + number * _HEIGHT}" width="100%" height="{_HEIGHT}"'
    return f'<svg {place}><g id="l{number}">{"".join(states)}</g></svg>'


def _drawn(runs: list[Run], ground: str) -> str:
    """A line's text, each run where its cells are in any font, and the colours behind it."""
    found, at = [], 0.0
    for text, style in runs:
        width, said = cell_len(text) * _WIDTH, escape(text.rstrip())
        back = style.bgcolor.name if style.bgcolor else ground
        if back != ground:
            place = f'x="{at:.1f}" width="{width:.1f}" height="{_HEIGHT}"'
            found.append(f'<rect {place} fill="{back}"/>')
        if said:
            front = style.color.name if style.color else "#ffffff"
            kind = "".join(name for name, on in (("b", style.bold), ("i", style.italic)) if on)
            length = f'textLength="{cell_len(text.rstrip()) * _WIDTH:.1f}"'
            named = f' class="{" ".join(kind)}"' if kind else ""
            found.append(f'<text x="{at:.1f}" y="13" fill="{front}" {length}{named}>{said}</text>')
        at += width
    return "".join(found)
