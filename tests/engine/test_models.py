"""The registry: what it promises of each model, and how names become models."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from engine.errors import ModelMissing, NotCapable, UnknownModel, UnsupportedModel
from engine.fim_styles import FIM_STYLES
from engine.models import DEFAULT_FIM, DEFAULT_INSTRUCT, MODELS, ModelEntry, find, require

if TYPE_CHECKING:
    from pathlib import Path

ALL = pytest.mark.parametrize("entry", MODELS.values(), ids=MODELS)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARET_HOME", str(tmp_path))


@ALL
def test_every_entry_is_complete(entry: ModelEntry) -> None:
    assert entry.name == entry.name.lower()
    assert entry.repo is not None
    assert re.fullmatch(r"[\w-]+/[\w.-]+-GGUF", entry.repo)
    assert entry.file is not None
    assert re.search(r"\.?q4_(k_m|1)\.gguf$", entry.file.lower())
    assert entry.size is not None
    assert entry.parameters is not None
    # Q4_K_M and Q4_1 store four and a half to six and a half bits for each parameter.
    assert 4.4 < entry.size * 8 / entry.parameters < 8.1
    assert entry.architecture is not None
    assert entry.context_length is not None
    assert entry.licence is not None
    assert entry.licence.url.startswith("https://")
    assert entry.path.name == f"{entry.name}.gguf"


@ALL
def test_a_mirror_comes_with_size_and_digest_and_its_parts_add_up(entry: ModelEntry) -> None:
    if entry.mirror is None:
        assert entry.sha256 is None, "nobody here has measured it"
        return
    assert entry.sha256 is not None
    assert entry.size is not None
    assert re.fullmatch("[0-9a-f]{64}", entry.sha256)
    mirror = entry.mirror
    assert (mirror.parts - 1) * mirror.part_size < entry.size <= mirror.parts * mirror.part_size


def test_the_registry_has_every_size_of_every_family() -> None:
    code_llamas = {
        f"codellama-{size}{variant}"
        for size in ("7b", "13b", "34b", "70b")
        for variant in ("", "-python", "-instruct")
    }
    qwens = {f"qwen2.5-coder-{size}" for size in ("0.5b", "1.5b", "3b", "7b", "14b", "32b")}
    starcoders = {f"starcoder2-{size}" for size in ("3b", "7b", "15b")}
    deepseeks = {f"deepseek-coder-{size}" for size in ("1.3b", "6.7b", "33b")}
    assert code_llamas | qwens | starcoders | deepseeks | {"smollm2-135m"} <= MODELS.keys()


@pytest.mark.parametrize(
    ("name", "infills", "instructs"),
    [
        ("codellama-7b", True, False),
        ("codellama-13b-instruct", True, True),
        ("codellama-34b", False, False),
        ("codellama-34b-instruct", False, True),
        ("codellama-7b-python", False, False),
        ("codellama-70b", True, False),
        ("codellama-70b-instruct", False, True),
        ("qwen2.5-coder-3b", True, True),
        ("starcoder2-7b", True, False),
        ("deepseek-coder-6.7b", True, False),
        ("deepseek-coder-6.7b-instruct", False, True),
        ("smollm2-135m", False, True),
    ],
)
def test_abilities_are_those_that_the_publishers_state(
    name: str, infills: bool, instructs: bool
) -> None:
    abilities = find(name).abilities
    assert ("infill" in abilities, "instruct" in abilities) == (infills, instructs)


@ALL
def test_every_infilling_style_is_one_that_prompts_are_made_in(entry: ModelEntry) -> None:
    assert entry.fim is None or entry.fim in FIM_STYLES


def test_the_defaults_can_do_their_work() -> None:
    require(find(DEFAULT_FIM), "infill")
    require(find(DEFAULT_INSTRUCT), "instruct")


def test_the_research_licence_is_told() -> None:
    licence = find("qwen2.5-coder-3b").licence
    assert licence is not None
    assert "Research" in licence.name


def test_require_names_models_that_can_those_on_disk_first() -> None:
    find("starcoder2-15b").path.write_bytes(b"weights")
    with pytest.raises(NotCapable, match=r"codellama-34b cannot fill in the middle") as caught:
        require(find("codellama-34b"), "infill")
    assert "one that can: starcoder2-15b (on disk), qwen2.5-coder-1.5b or " in str(caught.value)
    with pytest.raises(NotCapable, match=r"cannot follow instructions.*: qwen2\.5-coder-1\.5b, "):
        require(find("codellama-7b"), "instruct")


def test_a_misspelt_name_gets_the_closest_ones() -> None:
    with pytest.raises(UnknownModel, match=r"'codelama-7b'.* mean codellama-7b.*`caret models`"):
        find("codelama-7b")
    with pytest.raises(UnknownModel, match=r"'§'\. `caret models`"):
        find("§")


def test_names_are_found_in_any_case() -> None:
    assert find("CodeLlama-7B") is MODELS["codellama-7b"]


def test_a_hub_id_is_an_entry_with_styles_to_be_detected() -> None:
    folder = find("bigcode/starcoder2-3b")
    assert (folder.repo, folder.file, folder.path.name) == (
        "bigcode/starcoder2-3b",
        None,
        "bigcode--starcoder2-3b",
    )
    file = find("TheBloke/CodeLlama-7B-GGUF:sub/codellama-7b.Q8_0.gguf")
    assert (file.repo, file.file) == ("TheBloke/CodeLlama-7B-GGUF", "sub/codellama-7b.Q8_0.gguf")
    assert file.path.name == "TheBloke--CodeLlama-7B-GGUF--sub--codellama-7b.Q8_0.gguf"
    assert (file.fim, file.chat) == ("auto", "auto")
    assert file.abilities == {"infill", "instruct"}
    require(file, "infill")


@pytest.mark.parametrize(
    "spec", ["../../etc/passwd:x.gguf", "a/b:../c.gguf", "a/../b", "a/b/c", "a/b:c.bin", "/", ""]
)
def test_no_id_leads_out_of_the_folder_of_models(spec: str) -> None:
    with pytest.raises((UnknownModel, ModelMissing, UnsupportedModel)):
        find(spec)


def test_local_files_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "my model.gguf"
    file.write_bytes(b"GGUF")
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert find(str(file)).path == file
    assert find("my model.gguf").path == file
    assert find("./checkpoint").path == folder
    assert find("./checkpoint").abilities == {"infill", "instruct"}
    with pytest.raises(UnknownModel, match=r"the path of a folder begins with / or ~ or \./"):
        find("checkpoint")  # a bare name is not looked for in a folder that anybody may have filled


def test_paths_as_people_write_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "my models" / "ü x.gguf"
    file.parent.mkdir()
    file.write_bytes(b"GGUF")
    for spec in (
        "~/my models/ü x.gguf",
        "./my models/ü x.gguf",
        "my models/ü x.gguf",
        f"  {file}\n",
        f'"{file}"',
        "'~/my models/ü x.gguf'",
        file.as_uri(),
        f"file://localhost{file.as_uri().removeprefix('file://')}",
        f"{tmp_path}/other/../my models/ü x.gguf",
    ):
        found = find(spec)
        assert (found.path, found.name) == (file, str(file))


def test_a_folder_of_the_hubs_cache_is_its_current_snapshot(tmp_path: Path) -> None:
    cache = tmp_path / "models--Qwen--Qwen2.5-Coder"
    blob = cache / "blobs" / "abc"
    snapshot = cache / "snapshots" / "1a2b"
    for folder in (blob.parent, snapshot, cache / "snapshots" / "3c4d", cache / "refs"):
        folder.mkdir(parents=True)
    blob.write_bytes(b"GGUF")
    (snapshot / "config.json").write_text("{}")
    (snapshot / "x.gguf").symlink_to(blob)
    (cache / "refs" / "main").write_text("1a2b\n")
    assert find(str(cache)).path == find(str(snapshot)).path == snapshot
    assert find(str(snapshot / "x.gguf")).path == snapshot / "x.gguf"
    for outside in ("..", "../blobs", "", "gone", "/etc"):
        (cache / "refs" / "main").write_text(outside)
        with pytest.raises(UnsupportedModel, match="is no model"):
            find(str(cache))


@pytest.mark.parametrize(
    "spec",
    [
        "$HOME/x.gguf",
        "${userHome}/models/x.gguf",
        "%USERPROFILE%\\x.gguf",
        "http://127.0.0.1:8000/x.gguf",
        "https://huggingface.co/Qwen/Qwen2.5-Coder",
        "file:///nowhere/x.gguf",
        "~nobody-at-all/x.gguf",
        "/a\0b.gguf",
        "/" + "x" * 5000 + ".gguf",
        "/" + "x/" * 3000 + ".gguf",
        "loop/x.gguf",
        "./",
        '"',
        "''",
        "~",
        ".",
    ],
)
def test_other_spellings_get_a_sentence(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises((UnknownModel, ModelMissing, UnsupportedModel)) as caught:
        find(spec)
    assert len(str(caught.value)) < 12_000


@pytest.mark.parametrize("name", ["qwen2.5-coder-1.5b", "Qwen/Qwen2.5-Coder-1.5B"])
def test_a_folder_of_a_models_name_is_not_the_model(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).mkdir(parents=True)
    (tmp_path / name / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert find(name).local is None
    assert find(f"./{name}").local == tmp_path / name


def test_local_paths_that_are_no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelMissing, match=r"no file .*nowhere\.gguf"):
        find(str(tmp_path / "nowhere.gguf"))
    with pytest.raises(ModelMissing, match=r"no file .*models/mine\.gguf"):
        find("models/mine.gguf")
    (tmp_path / "weights.bin").write_bytes(b"\x80pickle")
    for spec in ("./weights.bin", str(tmp_path)):
        with pytest.raises(UnsupportedModel, match="is no model"):
            find(spec)


@pytest.mark.parametrize("module", ["engine.models", "engine.fetch"])
def test_the_import_is_light(module: str) -> None:
    heavy = ["torch", "huggingface_hub", "transformers", "numpy", "httpx"]
    code = f"import {module}, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
