"""Writes the server's settings into package.json: `python configure.py [--check]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lsp_server import __version__
from lsp_server.settings_schema import properties

MANIFEST = Path(__file__).with_name("package.json")


def configured(text: str) -> str:
    """The manifest's text with the settings and the version of this tree."""
    manifest = json.loads(text)
    manifest["version"] = __version__
    manifest["contributes"]["configuration"][1]["properties"] = properties()
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Rewrite package.json, or say that it should be."""
    text = MANIFEST.read_text("utf-8")
    if "--check" not in sys.argv:
        MANIFEST.write_text(configured(text), "utf-8")
    elif text != configured(text):
        sys.exit(f"{MANIFEST} differs from lsp_server/settings.py: run 'make format'")


if __name__ == "__main__":
    main()
