"""`caret doctor` where no model is on disk yet; tests/e2e has it with one."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from lsp_server.commands import doctor
from tests.command import caret
from tests.traps import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment without models, and with a proxy that is none."""
    usual = {name: value for name, value in os.environ.items() if "_proxy" not in name.lower()}
    odd = {"all_proxy": "zzz://me:s3cret@p:1", "no_proxy": "localhost"}
    return usual | odd | {"CARET_HOME": str(tmp_path_factory.mktemp("home"))}


@pytest.fixture(scope="module")
def report(bare: dict[str, str]) -> dict[str, Any]:
    done = caret("doctor", "--json", environment=bare)
    assert done.returncode == 1
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_missing_model_fails_and_names_the_command(report: dict[str, Any]) -> None:
    assert not report["completion"]["ok"]
    assert f"`caret pull {report['choice']['model']}`" in report["completion"]["error"]
    assert report["models"] == {}


def test_report_is_readable(report: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    doctor.show(report)
    shown = capsys.readouterr().out
    for word in ("Processor", "Memory", "Disk", "Kernels", "Versions", "Choice", "✗", "✓"):
        assert word in shown
    assert f"→ Download the model: caret pull {report['choice']['model']}" in shown


def test_proxies_and_certificates_in_force(
    report: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    told = report["network"]["variables"]
    assert (told["all_proxy"], told["no_proxy"]) == ("zzz://p:1", "localhost")
    (fault,) = report["network"]["faults"]
    assert fault.startswith("The variable all_proxy names a proxy of the kind zzz://")
    doctor.show(report)
    shown = " ".join(capsys.readouterr().out.split())
    assert "Network" in shown
    assert "all_proxy=zzz://p:1" in shown
    assert "→ The variable all_proxy names a proxy" in shown
    doctor.show(report | {"network": {"variables": {}, "faults": []}})
    assert "no proxy, the system's certificates" in capsys.readouterr().out


def test_plan_is_shown(report: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    plan: dict[str, Any] = {"format": "nf4", "device": "cuda", "reason": "it is small"}
    plan |= {"weights": 4 * 10**9, "position": 1000, "caches": 2_000_000}
    doctor.show(report | {"plan": plan})
    shown = " ".join(capsys.readouterr().out.split())
    assert "Plan nf4 on the cuda: it is small" in shown
    assert "4.0 GB of weights; there is room to cache 2,000 tokens" in shown
    doctor.show(report | {"plan": None, "refusal": "no room"})
    assert "none: no room" in capsys.readouterr().out


def test_advice_for_an_old_and_full_machine(
    report: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    old = report["processor"] | {"features": {"AVX2": False}}
    full = report["disk"] | {"free": 10**9}
    doctor.show(report | {"processor": old, "disk": full})
    shown = capsys.readouterr().out
    assert "Without AVX2" in shown
    assert "CARET_HOME" in shown


def test_completion_is_shown_in_one_line(
    report: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    doctor.show(report | {"completion": {"ok": True, "text": "a + b", "ms": 42}})
    assert "def add(a, b):⏎     return a + b" in capsys.readouterr().out


def test_broken_engine_is_told_in_one_line(bare: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch.so: not found')")
    # Caret is found by the variable too, so what else is in there counts.
    found_by = os.pathsep.join(map(str, [tmp_path, ROOT]))
    done = caret("doctor", environment=bare | {"PYTHONPATH": found_by})
    assert done.returncode == 1
    told = [line for line in done.stderr.splitlines() if line.startswith("caret: ")]
    assert told == [
        "caret: The engine cannot run here: ImportError: libtorch.so: not found. "
        "Install Caret again."
    ]


def test_nothing_of_the_working_folder_is_imported(bare: dict[str, str], tmp_path: Path) -> None:
    for name in ("torch.py", "engine.py", "psutil.py"):
        (tmp_path / name).write_text("open('imported', 'w').close()")
    caret("doctor", cwd=tmp_path, environment=bare)
    assert not (tmp_path / "imported").exists()
