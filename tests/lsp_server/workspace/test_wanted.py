"""What the text around a caret is about."""

from __future__ import annotations

import pytest

from lsp_server.context import Site
from lsp_server.workspace.wanted import imported, names_in, wanted


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("from shop.pricing import rebate, Tier", ["shop", "pricing", "rebate", "Tier"]),
        ("from shop import (\n    one,\n    two,\n)\nthree = 3", ["shop", "one", "two"]),
        ('import { Shipment } from "./shipment";', ["Shipment", "shipment"]),
        ("import {\n  One,\n  Two\n} from './numbers';", ["One", "Two", "numbers"]),
        ('const retry = require("./retry")', ["retry", "require"]),
        ('#include "ring_buffer.hpp"', ["ring_buffer", "hpp"]),
        ("use crate::frame::Frame;", ["crate", "frame", "Frame"]),
        ("use App\\Models\\Order;", ["App", "Models", "Order"]),
        ("using System.Text;", ["System", "Text"]),
        ("source lib/log.sh", ["lib", "log"]),
        ("important = fromage", []),
    ],
)
def test_imports(lines: str, expected: list[str]) -> None:
    assert set(imported(lines.split("\n"))) >= set(expected)
    assert bool(expected) == bool(imported(lines.split("\n")))


def test_keywords_and_strings_are_no_names() -> None:
    assert names_in("for total in range_of(\"a name\", 'other'):") == {"total", "range_of"}


def test_near_names_weigh_more() -> None:
    text = "far_away = 1\n" + "\n" * 20 + "near_by = 2\nhere = "
    about = wanted(Site(text, "\nbelow = 3\n", "python", "a.py"), [])
    assert list(about.names) == ["here", "near_by", "below", "far_away"]
    assert about.words[0] == "here"


def test_an_imported_name_counts_wherever_the_caret_is() -> None:
    about = wanted(Site("x = ", "", "python", "a.py"), ["from lib import helper\n"])
    assert {"lib", "helper"} <= set(about.names)


def test_an_import_that_nothing_uses_yet_is_awaited() -> None:
    top = ["from lib import (\n", "    used,\n", "    unused,\n", ")\n", "\n", "y = used(1)\n"]
    about = wanted(Site("".join(top) + "x = ", "", "python", "a.py"), top)
    assert about.awaited == ("unused",)
    assert next(iter(about.names)) == "unused"
    far = wanted(Site("x = ", "", "python", "a.py", first_line=64), top)
    assert far.awaited == ("used", "unused")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("from shop.pricing import rebate", ["rebate"]),
        ("import shop.pricing", ["shop", "pricing"]),
        ('import { Shipment } from "./shipment";', ["Shipment"]),
        ("using System.Text;", ["System", "Text"]),
    ],
)
def test_what_an_import_brings_into_the_file(line: str, expected: list[str]) -> None:
    assert list(wanted(Site("x = ", ""), [line]).taken) == expected
