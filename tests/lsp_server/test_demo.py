"""The parts of `caret demo`; tests/e2e runs the whole."""

from __future__ import annotations

import sys

import pytest
from rich.console import Console

from engine.errors import EngineLost
from lsp_server.demo import samples, show
from lsp_server.demo.client import Answer, Editor, caret_command
from lsp_server.demo.samples import Sample

SAMPLE = Sample("Python", "python", "a.py", "def f(x):\n    return \n\nf(1)\n", offset=21)


def render(answer: Answer | None, *, colour: bool) -> str:
    console = Console(width=60, force_terminal=colour, color_system="standard" if colour else None)
    with console.capture() as capture:
        console.print(show.completed(SAMPLE, answer, colour=colour))
    return capture.get()


@pytest.mark.parametrize("sample", samples.load(), ids=lambda sample: sample.language)
def test_sample_is_a_file_with_a_caret_inside(sample: Sample) -> None:
    assert sample.text.isascii()
    assert 20 <= sample.text.count("\n") <= 40
    assert sample.text.endswith("\n")
    assert 5 <= sample.line < sample.text.count("\n") - 1
    assert sample.at(sample.line, sample.column) == sample.offset


def test_samples_are_in_seven_languages() -> None:
    assert len({sample.language_id for sample in samples.load()}) == 7


def test_completion_stands_in_its_place() -> None:
    shown = render(Answer("x * 2", 21, 21, 12.3, {}), colour=False)
    assert "return ⟦x * 2⟧" in shown
    assert "a.py:2:12" in shown
    assert "12 ms" in shown


def test_completion_stands_out_by_colour() -> None:
    shown = render(Answer("x * 2", 21, 21, 12.3, {}), colour=True)
    assert "\x1b[1;32mx * 2\x1b[0m" in shown
    assert "⟦" not in shown


def test_range_is_replaced() -> None:
    assert "    yield x\n" not in SAMPLE.text
    shown = render(Answer("yield x", 14, 21, 1.0, {}), colour=False)
    assert "⟦yield x⟧" in shown
    assert "return" not in shown


def test_empty_answer_is_said() -> None:
    assert "no completion" in render(None, colour=False)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({}, "1500 ms"),
        ({"completion_tokens": 1, "decode_ms": 0.0}, "1500 ms"),
        (
            {"completion_tokens": 11, "decode_ms": 500.0},
            "1500 ms · 11 tokens · 20.0 tokens/s",
        ),
    ],
)
def test_speed_counts_decoding_alone(usage: dict[str, float], expected: str) -> None:
    assert show.speed(Answer("x", 0, 0, 1500.0, usage)) == expected


def test_next_steps_name_this_installation(capsys: pytest.CaptureFixture[str]) -> None:
    Console(width=200).print(show.next_steps(caret_command()))
    assert f'cmd = {{ "{caret_command()}", "lsp" }}' in capsys.readouterr().out


async def test_server_that_dies_is_told_with_its_last_words() -> None:
    editor = Editor(lambda *_: None)
    await editor.start_io(sys.executable, "-c", "import sys; sys.exit('no room for a log')")
    with pytest.raises(EngineLost, match="no room for a log"):
        await editor.start("qwen2.5-coder-1.5b")
    await editor.stop()  # type: ignore[no-untyped-call]  # pygls forgot its annotation
