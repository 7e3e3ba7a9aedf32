"""Addresses as people write them."""

from __future__ import annotations

import pytest

from engine.endpoint import Endpoint
from engine.network import Misconfigured, parse, shown


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("http://h:1", "http://h:1/"),
        ("h:1", "http://h:1/"),
        ("localhost:11434", "http://localhost:11434/"),
        (" 'http://h:1/x/' ", "http://h:1/x"),
        ("<HTTP://H:1>", "http://h:1/"),
        ("[::1]:8080", "http://[::1]:8080/"),
        ("::1", "http://[::1]/"),
        ("http://10.0.0.1:80/", "http://10.0.0.1/"),
        ("gpu-box.local/v1", "http://gpu-box.local/v1"),
        ("api.example.com/v1", "https://api.example.com/v1"),
        ("http://münchen.example:8", "http://xn--mnchen-3ya.example:8/"),
        ("my_box:80", "http://my_box/"),
        ("\ufeffhttp://h:1/v1\u200b", "http://h:1/v1"),
        ("http://h:1/v1?", "http://h:1/v1"),
    ],
)
def test_what_is_meant_is_clear(written: str, meant: str) -> None:
    assert str(parse(written, "endpoint")) == meant


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "is empty"),
        (" '' ", "is empty"),
        ("ftp://h", "begins with ftp://"),
        ("ws://h:1/v1", "begins with ws://"),
        ("unix:///run/llm.sock", "over TCP only"),
        ("unix:/run/llm.sock", "over TCP only"),
        ("/run/llm.sock", "over TCP only"),
        ("http://h/v1?key=s3cret", "has a query"),
        ("http://h/#x", "has a query or a fragment"),
        *[
            (wrong, "names no host and port")
            for wrong in [
                *[
                    "http://",
                    "http:///v1",
                    ":80",
                    "http://:80",
                    "http://[",
                    "http://[::1",
                    "http:h",
                ],
                *[
                    "http:h",
                    "http://h:0",
                    "http://h:99999",
                    "http://h:-1",
                    "http://h:x",
                    "http:/h:1",
                ],
                *[
                    "https//h",
                    "http://h h",
                    "http://h\\x",
                    "http://h..b",
                    "http://.",
                    "http://\x00",
                ],
                *["http://xn--/", "a" * 64 + ":1", "http://" + "a." * 130 + "b", "http://h\n/v1"],
            ]
        ],
    ],
)
def test_what_is_no_address_is_said_in_a_sentence(written: str, words: str) -> None:
    with pytest.raises(Misconfigured, match=words) as caught:
        parse(written, "endpoint")
    said = str(caught.value)
    assert said.startswith("The endpoint ")
    assert said.endswith("Write it as http://host:port or https://host.")
    assert "s3cret" not in said


def test_a_password_is_not_shown() -> None:
    assert shown(parse("http://user:s3cret@h:1/v1", "endpoint")) == "http://h:1/v1"


@pytest.mark.parametrize(
    ("written", "base"),
    [
        ("h:1", "http://h:1/v1"),
        ("http://h:1/v1", "http://h:1/v1"),
        ("http://h:1/v1/", "http://h:1/v1"),
        ("http://h:1/v1/completions", "http://h:1/v1"),
        ("http://h:1/v1/chat/completions/", "http://h:1/v1"),
        ("http://h:1/api", "http://h:1/v1"),
        ("http://127.0.0.1:1/api/", "http://127.0.0.1:1/v1"),
        ("localhost:11434/api/generate", "http://localhost:11434/v1"),
        ("https://router.example.com/api", "https://router.example.com/api/v1"),
        ("https://x.example.com/api/paas/v4", "https://x.example.com/api/paas/v4"),
        ("https://x.example.com/v1beta/openai", "https://x.example.com/v1beta/openai"),
        ("http://h/proxy", "http://h/proxy/v1"),
        ("http://u:p@h:1", "http://u:p@h:1/v1"),
        ("http://h/org%2Fmodel/v1", "http://h/org%2Fmodel/v1"),
        ("http://h/a%25b%3Fc", "http://h/a%25b%3Fc/v1"),
    ],
)
def test_endpoints_may_name_more_or_less_than_the_version(written: str, base: str) -> None:
    assert str(Endpoint(written).base) == base
