"""What docs/formats.md shows of the format report: tables, and one picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.plot import load_pyplot

Figures = dict[str, Any]

FIGURES = Path(__file__).parent.parent / "docs" / "figures" / "formats.json"
_HEAD = (
    "| format | MB | bits a weight | perplexity | KL, nats | same top-1 "
    "| prefill, tokens/s | decode, tokens/s |\n|---|---|---|---|---|---|---|---|"
)


def page() -> str:
    """A heading and a table for each model that was measured; the figures are committed."""
    if not FIGURES.exists():
        return "No figures yet: nothing was measured with the kernels as they are."
    known = json.loads(FIGURES.read_text("utf-8"))
    return "\n\n".join(_section(known[name]) for name in sorted(known))


def _section(report: Figures) -> str:
    return (
        f"### {report['model']}\n\n{report['tokens']:,} tokens of code; {report['machine']}. "
        f"The file has {report['file_bits']:.2f} bits a weight.\n\n{table(report)}"
    )


def table(report: Figures) -> str:
    """One model's formats, in Markdown."""
    return "\n".join([_HEAD, *(_row(name, each) for name, each in report["formats"].items())])


def _row(name: str, each: Figures) -> str:
    return (
        f"| `{name}` | {each['bytes'] / 1e6:,.0f} | {each['bits']:.2f} | {each['perplexity']:.4f} "
        f"| {abs(each['divergence']):.5f} | {each['top1']:.2%} "
        f"| {each['prefill_per_s']:.0f} | {each['decode_per_s']:.1f} |"
    )


def draw(known: Figures, file: Path) -> None:
    """Divergence from float32 against the speed of decoding, a panel for each model, as SVG."""
    pyplot = load_pyplot()
    pyplot.rcParams["svg.hashsalt"] = "formats"  # the same figures give the same file
    figure, panels = pyplot.subplots(
        1, len(known), figsize=(5.5 * len(known), 4), squeeze=False, layout="constrained"
    )
    for panel, name in zip(panels[0], sorted(known), strict=True):
        for label, each in known[name]["formats"].items():
            if label == "float32":
                continue
            point = (each["decode_per_s"], each["divergence"])
            panel.plot(*point, "o", color="#0b7285")
            panel.annotate(f" {label}", point, xytext=(4, 4), textcoords="offset points")
        panel.set(yscale="log", title=name, xlabel="decode, tokens/s → faster")
        panel.set_ylabel("KL from float32, nats → less exact")
        panel.margins(0.18)
        panel.grid(alpha=0.3)
    figure.savefig(file, format="svg", metadata={"Date": None})
    pyplot.close(figure)
