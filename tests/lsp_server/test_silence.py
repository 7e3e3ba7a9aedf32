"""Where nothing is asked, and where it is although it looks similar."""

from __future__ import annotations

import pytest

from lsp_server import silence
from lsp_server.context import Site
from lsp_server.silence import RULES, Rule

QUIET = [(rule, *example) for rule in RULES for example in rule.quiet]
ASKED = [(rule, *example) for rule in RULES for example in rule.asked]


def site_in(language: str, text: str) -> Site:
    before, caret, after = text.partition("|")
    assert caret
    return Site(before, after, language)


@pytest.mark.parametrize(("rule", "language", "text"), QUIET, ids=lambda value: str(value)[:30])
def test_quiet(rule: Rule, language: str, text: str) -> None:
    assert silence.silence(site_in(language, text)) == rule.why


@pytest.mark.parametrize(("rule", "language", "text"), ASKED, ids=lambda value: str(value)[:30])
def test_asked(rule: Rule, language: str, text: str) -> None:
    assert not rule.holds(site_in(language, text))
    assert silence.silence(site_in(language, text)) == ""
