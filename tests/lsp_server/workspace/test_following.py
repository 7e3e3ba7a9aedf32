"""Which of several types a name stands for, and where its parts are."""

from __future__ import annotations

import pytest

from tests.lsp_server.workspace.ledgers import CPP, EVENTS, JAVA, NESTED, PACKAGES, PARTS
from tests.lsp_server.workspace.test_members import LEDGERS, briefs, sorted_names


@pytest.mark.parametrize(
    ("files", "language", "text", "expected"),
    [
        (EVENTS, "java", "import shop.event.Event;\nEvent x;\nx.‸", ["class Event // order"]),
        (EVENTS, "java", "import audit.event.*;\nEvent x;\nx.‸", ["class Event // actor"]),
        (EVENTS, "java", "import org.far.Event;\nEvent x;\nx.‸", []),
        (PARTS, "rust", "fn f(x: &A) {\n    x.‸", ["pub struct A // b, c()"]),
        (
            PACKAGES,
            "go",
            'import (\n\t"p/web"\n\t"p/mail"\n)\n\nfunc f(x *mail.Client) {\n\tx.‸',
            ["type Client struct // Host, Send()"],
        ),
        (PACKAGES, "go", 'import "net/http"\n\nfunc f(x *http.Client) {\n\tx.‸', []),
        (NESTED, "java", "A.B x;\nx.‸", ["static class B extends C // d, e"]),
        (NESTED, "java", "A.B.‸", ["static class B extends C // d, e"]),
        (JAVA, "java", "class A extends Bank {\n  void f() {\n    open().‸", [LEDGERS["java"]]),
        (CPP, "cpp", '#include "ledger.hpp"\nledger.‸', []),
    ],
)
def test_of_several_types_the_one_that_the_file_means(
    files: dict[str, str], language: str, text: str, expected: list[str]
) -> None:
    found = briefs(files, language, "app/main", text)
    assert [sorted_names(each.lstrip()) for each in found] == [*map(sorted_names, expected)]


ACCOUNTS = {
    **{f"shop/{name}.py": f"class Account:\n    {name}: str" for name in ("a", "table", "json")},
    **{f"ui/{name}.ts": f"class Account {{ {name}: string }}" for name in ("a", "Account", "fs")},
}
"""In each file a type of the same name."""


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "from shop.table import Account\ndef f(x: Account): x.‸", "table"),
        ("python", "from .a import Account\ndef f(x: Account): x.‸", "a"),
        ("python", "from w.table import Account\ndef f(x: Account): x.‸", "table"),
        ("python", "from rich.table import Account\ndef f(x: Account): x.‸", ""),
        ("python", "import json\njson.‸", ""),
        ("python", "from rich.table import ‸", ""),
        ("python", "from shop.table import Account\ntable = make()\ntable.‸", ""),
        ("typescript", "import { Account } from './a';\nconst f = (x: Account) => x.‸", "a"),
        ("typescript", "import { Account } from '@acme/ui/a';\nconst f = (x: Account) => x.‸", "a"),
        ("typescript", "import { Account } from '@mui/a';\nconst f = (x: Account) => x.‸", ""),
        ("typescript", "import * as fs from 'node:fs';\nfs.‸", ""),
        ("typescript", "import * as x from './fs';\nx.‸", "Account"),
        ("typescript", "import { ‸ } from './fs';", "Account"),
        ("javascript", "const x = require('./fs.js');\nx.‸", "Account"),
    ],
)
def test_only_what_may_be_at_the_place_that_an_import_names(
    language: str, text: str, expected: str
) -> None:
    found = briefs(ACCOUNTS, language, "main", text)
    assert [sorted_names(brief)[1] for brief in found] == ([[expected]] if expected else [])
