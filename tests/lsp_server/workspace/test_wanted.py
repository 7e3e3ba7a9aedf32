"""What the text around a caret is about."""

from __future__ import annotations

import pytest

from lsp_server.context import Site
from lsp_server.workspace.wanted import imported, names_in, wanted


@pytest.mark.parametrize(
    ("language", "lines", "expected"),
    [
        ("python", "from shop.pricing import Tier", ["shop", "pricing", "Tier"]),
        ("python", "from shop import (\n    one,\n    two,\n)\nthree = 3", ["shop", "one", "two"]),
        ("typescript", 'import { Shipment } from "./shipment";', ["Shipment", "shipment"]),
        ("javascript", "import {\n  One,\n  Two\n} from './numbers';", ["One", "Two", "numbers"]),
        ("javascript", 'const retry = require("./retry")', ["retry", "require"]),
        ("javascript", 'export * from "./numbers";', ["numbers"]),
        ("c", '#include "ring_buffer.h"', ["ring_buffer", "h"]),
        ("cpp", "using std::vector;", ["std", "vector"]),
        ("rust", "pub(crate) use crate::frame::Frame;", ["crate", "frame", "Frame"]),
        ("php", "use App\\Models\\Order;", ["App", "Models", "Order"]),
        ("php", "require_once 'lib/log.php';", ["lib", "log"]),
        ("csharp", "global using System.Text;", ["System", "Text"]),
        ("csharp", "using Names = Shop.Names;", ["Shop", "Names"]),
        ("shellscript", "source lib/log.sh", ["lib", "log"]),
        ("shellscript", '. "$root/log.sh"', ["root", "log"]),
        ("ruby", 'load "log.rb"', ["log", "rb"]),
        ("ruby", "require_relative 'log'", ["log"]),
        ("lua", 'local log = require "shop.log"', ["log", "shop"]),
        ("go", 'import (\n\t"shop/log"\n)\nvar x = 1', ["shop", "log"]),
        ("perl", "use Shop::Log;", ["Shop", "Log"]),
        ("", "use Shop::Log;", ["Shop", "Log"]),
    ],
)
def test_imports(language: str, lines: str, expected: list[str]) -> None:
    found = imported(lines.split("\n"), language)
    assert set(found) >= set(expected)
    assert not {"x", "three"} & set(found)


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("python", "important = fromage"),
        ("python", "source = parse("),
        ("python", "load(name)"),
        ("python", "using = require(name)"),
        ("python", "from the first line on"),
        ("javascript", 'import("./lazy").then((lazy) => {'),
        ("javascript", "use(plugin)"),
        ("javascript", "export const from = (value) => {"),
        ("csharp", "using (var file = Open(name)) {"),
        ("csharp", "using var file = Open(name);"),
        ("php", "use ($total) {"),
        ("ruby", "load(name)"),
        ("shellscript", "import name"),
        ("sql", "from orders"),
        ("", "source = parse("),
    ],
)
def test_no_imports(language: str, line: str) -> None:
    assert imported([line, "name"], language) == []


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


@pytest.mark.parametrize("quote", ['"', "'"])
def test_names_in_strings_do_not_count_and_in_those_that_nothing_ends_do(quote: str) -> None:
    escaped = f"\\{quote}name" * 4_000
    assert names_in(f"say = {quote}{escaped}{quote}") == {"say"}
    assert names_in(f"say = {quote}{escaped}") == {"say", "name"}
