"""Where Caret keeps quiet."""

from __future__ import annotations

import pytest

from lsp_server.documents import Document
from lsp_server.policy import MAX_CHARACTERS, excluding, path_of, refusal, relative_path
from lsp_server.settings import CompletionSettings, Settings

SECRETS = Settings().privacy.exclude


@pytest.mark.parametrize(
    "path",
    [
        "/w/.env",
        "/w/.env.local",
        "/w/prod.env",
        "/w/server.PEM",
        "/home/me/.ssh/config",
        "/home/me/.ssh/id_ed25519",
        "/w/ID_RSA",
        "/home/me/.aws/credentials",
        "C:/Users/me/.ssh/config",
    ],
)
def test_secrets_are_excluded(path: str) -> None:
    assert excluding([path], SECRETS)


@pytest.mark.parametrize("path", ["/w/env.py", "/w/keys.py", "/w/.envrc.py", "/w/pem/a.py", ""])
def test_code_is_not(path: str) -> None:
    assert excluding([path], SECRETS) is None


def test_refusals() -> None:
    document = Document.open("/w/a.py", "python", "x")
    off = Settings(completion=CompletionSettings(enable=False))
    assert refusal(document, Settings()) is None
    assert "enable" in str(refusal(document, off))
    document.characters = MAX_CHARACTERS + 1
    assert "5 million" in str(refusal(document, Settings()))


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///w/a%20b.py", "/w/a b.py"),
        ("file:///c%3A/w/a.py", "/c:/w/a.py"),
        ("vscode-notebook-cell:/w/a.ipynb#W0", "/w/a.ipynb"),
        ("http://[", "http://["),
    ],
)
def test_paths_of_uris(uri: str, path: str) -> None:
    assert path_of(uri) == path


def test_the_innermost_folder_counts() -> None:
    assert relative_path("/w/sub/a.py", ["/w", "/w/sub", "/elsewhere"]) == "a.py"


def test_one_path_is_as_good_as_several() -> None:
    assert excluding("/w/.env", ["*.pem", ".env"]) == ".env"
    assert excluding(["/w/a.py", "/w/.env"], ("*.pem", ".env")) == ".env"
    assert excluding("/w/a.py", ["*.pem", ".env"]) is None
