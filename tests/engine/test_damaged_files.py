"""The short form of `make torture`'s row of files: each kind of damage once, and two by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.local_models import local_model
from tests.torture import files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.filterwarnings("ignore:invalid value encountered")  # a weight that became infinite
def test_no_damage_goes_unnoticed_or_ends_in_a_traceback(seed: int) -> None:
    assert files.run(seed, 1 / files.TIMES).off == ()


@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_a_model_that_is_replaced_or_deleted_while_it_is_loaded_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`caret pull` replaces a model by a new file of its name; the old one stays mapped."""
    monkeypatch.setenv("CARET_HOME", str(tmp_path / "home"))
    model = tmp_path / "tiny.gguf"
    files.write_model(model)
    assert local_model(str(model)) == model
    runtime = files.loaded(model)
    before = files.text_of(runtime)
    (tmp_path / "new").write_bytes(b"no model")
    (tmp_path / "new").replace(model)
    assert files.text_of(runtime) == before
    model.unlink()
    assert files.text_of(runtime) == before
