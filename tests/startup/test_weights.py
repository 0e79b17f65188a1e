"""Weights of one's own for the built-in server: what a file is, where it comes from, whether it
fits."""

from __future__ import annotations

import argparse
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fusion_site import hub, weights
from fusion_site.bootstrap import up_options
from fusion_site.gguf import read_header
from tests.upstream.hub import REPOSITORY, Hub


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def gguf(*pairs: tuple[str, Any], version: int = 3, size: int = 1_100_000) -> bytes:
    """A file with these keys, then zeros."""
    head = b"GGUF" + struct.pack("<IQQ", version, 1, len(pairs))
    for key, value in pairs:
        kind = (
            struct.pack("<I", 8) + _string(value)
            if isinstance(value, str)
            else struct.pack("<II", 4, value)
        )
        head += _string(key) + kind
    return head.ljust(size, b"\0")


def model(architecture: str = "llama", length: int = 4096, **more: Any) -> bytes:
    return gguf(
        ("general.architecture", architecture),
        ("general.name", "A model"),
        (f"{architecture}.context_length", length),
        **more,
    )


@pytest.fixture
def plenty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "available_memory", lambda: 10**12)


def test_a_file_tells_its_architecture_and_its_context(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    file.write_bytes(model("qwen3", 32768))
    header = read_header(file)
    assert (header.architecture, header.context_length) == ("qwen3", 32768)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no GGUF file"),
        (b"GG", "no GGUF file"),
        (b"PK\x03\x04" + b"0" * 2_000_000, "no GGUF file"),
        (b"ggjt" + b"0" * 2_000_000, "no GGUF file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "pointer of Git LFS"),
        (model(size=900), "too small to be a model (900 bytes)"),
        (model(version=1), "of a version that is not known"),
        (model(version=0x03000000), "of a version that is not known"),  # big-endian
        (b"GGUF" + b"\xff" * 2_000_000, "of a version that is not known"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 1, 9, 2**63) + b"0" * 2_000_000, "damaged"),
        (gguf(("a", "b"))[:45] + struct.pack("<I", 77) + b"0" * 2_000_000, ""),
        (model("nomic-bert"), "no model to talk to"),
        (model("clip"), "no model to talk to"),
    ],
)
def test_what_is_no_model_is_refused_in_words(tmp_path: Path, data: bytes, says: str) -> None:
    file = tmp_path / "m.gguf"
    file.write_bytes(data)
    if not says:  # nonsense behind a good head: nothing is known, and nothing breaks
        read_header(file)
        return
    with pytest.raises(SystemExit) as refused:
        read_header(file)
    assert says in str(refused.value) and str(file) in str(refused.value)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Qwen2.5-3B-Instruct-Q4_K_M.gguf", "qwen2.5-3b-instruct"),
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m-instruct"),
        ("gemma-3-4b-it-IQ4_XS.gguf", "gemma-3-4b-it"),
        ("Llama-3.2-3B-Instruct-f16.gguf", "llama-3.2-3b-instruct"),
        ("my model (2).GGUF", "my-model-2"),
        ("Q4_K_M.gguf", "q4_k_m"),
        ("模型.gguf", "local-model"),
    ],
)
def test_a_model_is_named_by_its_file(file: str, name: str) -> None:
    assert weights.model_name(file) == name


def test_a_file_that_does_not_fit_is_refused_with_both_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "big.gguf"
    with file.open("wb") as out:
        out.write(model())
        out.truncate(5_000_000_000)
    monkeypatch.setattr(weights, "available_memory", lambda: 3_100_000_000)
    with pytest.raises(SystemExit) as refused:
        weights.of_file(file)
    assert "needs about 5.8 GB of memory; 3.1 GB are free" in str(refused.value)
    monkeypatch.setattr(weights, "available_memory", lambda: 0)  # where nobody can say
    assert weights.of_file(file).name == "big"


@pytest.mark.parametrize(("trained", "context"), [(2048, 2048), (131072, 8192), (0, 8192)])
def test_the_context_of_a_slot_is_no_longer_than_the_model_was_trained_for(
    tmp_path: Path, plenty: None, trained: int, context: int
) -> None:
    file = tmp_path / "m.gguf"
    file.write_bytes(model("llama", trained))
    assert weights.of_file(file).context_length == context


@pytest.mark.parametrize("text", ["hf:", "hf:model", "hf:a/b/c", "hf:../..", "hf:a/..", "hf:a b/c"])
def test_a_name_in_the_hub_has_an_owner_and_a_repository(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="hf:OWNER/REPO"):
        weights.argument(text)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--local-model", "/nowhere/m.gguf"], "cannot be read: No such file"),
        (["--local-model", "/etc/hostname"], "is no GGUF file"),
        (["--local-model", "/tmp"], "cannot be read: Is a directory"),
        (["--local-model", "hf:x"], "hf:OWNER/REPO[:FILE]"),
        (["--local-model", "hf:a/b", "--no-local-model"], "not allowed with"),
    ],
)
def test_up_says_at_once_what_it_cannot_serve(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        up_options(["--port", "0", *arguments])
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "wanted", "chosen"),
    [
        (["m-Q8_0.gguf", "m-Q4_K_M.gguf", "m-Q2_K.gguf"], "", "m-Q4_K_M.gguf"),
        (["m-Q8_0.gguf", "m-Q5_K_M.gguf"], "", "m-Q5_K_M.gguf"),
        (["only.gguf"], "", "only.gguf"),
        (["a.gguf", "b.gguf"], "", ""),
        (["a-Q4_K_M.gguf", "b-Q4_K_M.gguf"], "", ""),
        (["m-Q8_0.gguf", "m-Q4_K_M.gguf"], "q8_0", "m-Q8_0.gguf"),
        (["m-Q8_0.gguf", "m-Q4_K_M.gguf"], "M-Q8_0.GGUF", "m-Q8_0.gguf"),
        (["q/m-Q8_0.gguf", "m-Q8_0.gguf"], "m-Q8_0.gguf", "m-Q8_0.gguf"),
        (["m-IQ4_XS.gguf", "m-Q4_K_S.gguf"], "Q4_K", ""),
        (["m-IQ4_XS.gguf"], "Q4_XS", ""),
        (["m.Q4_1.gguf"], "Q4_1", "m.Q4_1.gguf"),
        ([], "", ""),
    ],
)
def test_of_several_files_the_usual_quantisation_or_the_named_one_is_chosen(
    names: list[str], wanted: str, chosen: str
) -> None:
    assert hub.choose(names, wanted) == chosen


# As of Llama 3.2 3B: 28 layers, 8 heads kept of 24, 128 wide: 114,688 bytes a token.
SHAPE = (
    ("general.architecture", "llama"),
    ("llama.block_count", 28),
    ("llama.context_length", 131072),
    ("llama.embedding_length", 3072),
    ("llama.attention.head_count", 24),
    ("llama.attention.head_count_kv", 8),
)


@pytest.mark.parametrize(
    ("free", "context"), [(9.0, 8192), (4.4, 8192), (4.0, 4096), (3.2, 2048), (2.9, 0), (1.0, 0)]
)
def test_a_slot_is_as_long_as_memory_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: float, context: int
) -> None:
    file = tmp_path / "m.gguf"
    with file.open("wb") as out:
        out.write(gguf(*SHAPE))
        out.truncate(2_000_000_000)
    assert read_header(file).token_bytes == 114_688
    monkeypatch.setattr(weights, "available_memory", lambda: int(free * 1e9))
    if context:
        assert weights.of_file(file).context_length == context
        return
    with pytest.raises(SystemExit, match="needs about 3.0 GB of memory"):
        weights.of_file(file)


NAME = "m-Q4_K_M.gguf"
DATA = model("llama", size=3_000_000)


@pytest.fixture
def the_hub(monkeypatch: pytest.MonkeyPatch, plenty: None) -> Iterator[Hub]:
    monkeypatch.setattr(hub.time, "sleep", lambda seconds: None)
    with Hub({NAME: DATA, "m-Q8_0.gguf": DATA, "mmproj-m.gguf": DATA}) as served:
        monkeypatch.setenv("HF_ENDPOINT", f"{served.url}/")
        yield served


def get(folder: Path, text: str = f"hf:{REPOSITORY}") -> weights.Weights:
    return weights.get(text, folder)


def test_a_file_is_downloaded_once_and_needs_no_network_then(the_hub: Hub, tmp_path: Path) -> None:
    got = get(tmp_path)
    assert got.path == tmp_path / "maker--Model-GGUF" / NAME and got.name == "m"
    assert got.path.read_bytes() == DATA and list(got.path.parent.iterdir()) == [got.path]
    assert [path for path, _ in the_hub.asked][-1] == f"/store/{NAME}"
    asked = len(the_hub.asked)
    assert get(tmp_path) == got == get(tmp_path, f"hf:{REPOSITORY}:Q4_K_M")
    assert len(the_hub.asked) == asked
    assert get(tmp_path, f"hf:{REPOSITORY}:m-Q8_0.gguf").path.name == "m-Q8_0.gguf"


def test_a_download_that_breaks_off_goes_on(the_hub: Hub, tmp_path: Path) -> None:
    the_hub.cuts = [1_000_000, 500_000, 700_000]
    assert get(tmp_path).path.read_bytes() == DATA
    ranges = [said for path, said in the_hub.asked if path.startswith("/store/")]
    assert ranges == ["", "bytes=1000000-", "bytes=1500000-", "bytes=2200000-"]


def test_a_start_that_was_ended_is_gone_on_from(the_hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "maker--Model-GGUF"
    folder.mkdir()
    (folder / f"{NAME}.part").write_bytes(DATA[:2_000_000])
    assert get(tmp_path).path.read_bytes() == DATA
    assert the_hub.asked[-1] == (f"/store/{NAME}", "bytes=2000000-")


@pytest.mark.parametrize("part", [b"x" * 2_000_000, b"x" * 4_000_000])
def test_another_files_part_is_found_out(the_hub: Hub, tmp_path: Path, part: bytes) -> None:
    folder = tmp_path / "maker--Model-GGUF"
    folder.mkdir()
    (folder / f"{NAME}.part").write_bytes(part)
    with pytest.raises(SystemExit, match="did not arrive as it was sent"):
        get(tmp_path)
    assert list(folder.iterdir()) == []
    assert get(tmp_path).path.read_bytes() == DATA


def test_a_server_that_knows_no_parts_begins_anew(the_hub: Hub, tmp_path: Path) -> None:
    the_hub.ignores_range, the_hub.cuts = True, [1_000_000]
    assert get(tmp_path).path.read_bytes() == DATA


def test_a_download_from_which_nothing_comes_ends_and_says_from_where_it_goes_on(
    the_hub: Hub, tmp_path: Path
) -> None:
    the_hub.cuts = [1_000_000, *[0] * 20]
    with pytest.raises(SystemExit, match="start again, and it goes on from 1.0 MB"):
        get(tmp_path)
    the_hub.cuts = []
    assert get(tmp_path).path.read_bytes() == DATA


def test_what_is_not_what_the_hub_says_it_is_is_thrown_away(the_hub: Hub, tmp_path: Path) -> None:
    the_hub.sums[NAME] = "0" * 64
    with pytest.raises(SystemExit, match="its sha256 is another"):
        get(tmp_path)
    assert list((tmp_path / "maker--Model-GGUF").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "text", "says"),
    [
        ({"status": 404}, "", "shows nobody a repository maker/Model-GGUF"),
        ({"status": 401}, "", "shows nobody a repository"),
        ({"status": 503}, "", "HTTP status 503: try again later"),
        ({"list_body": b"<html>"}, "", "did not answer as Hugging Face's hub does"),
        ({"list_body": b"[]"}, "", "has no GGUF file that is whole"),
        (
            {"list_body": b'{"siblings": [{"rfilename": "a.gguf"}, 3, null]}'},
            "",
            "has no GGUF file",
        ),
        ({"files": {"README.gguf.txt": DATA}}, "", "has no GGUF file"),
        ({"files": {"m-00001-of-00002.gguf": DATA}}, "", "has no GGUF file that is whole"),
        ({"files": {"../../m.gguf": DATA}}, "", "has no GGUF file"),
        ({"files": {"a.gguf": DATA, "b.gguf": DATA}}, "", f"  hf:{REPOSITORY}:b.gguf  3.0 MB"),
        ({}, ":Q3_K_M", f"has no file “Q3_K_M”. {REPOSITORY} has:\n  hf:{REPOSITORY}:{NAME}"),
        ({"files": {NAME: b"x" * 2_000_000}}, "", "is no GGUF file"),
    ],
)
def test_what_cannot_be_had_is_said_with_the_choices(
    the_hub: Hub, tmp_path: Path, change: dict[str, Any], text: str, says: str
) -> None:
    for name, value in change.items():
        setattr(the_hub, name, value)
    with pytest.raises(SystemExit) as refused:
        get(tmp_path, f"hf:{REPOSITORY}{text}")
    assert says in str(refused.value)


def test_a_hub_that_is_away_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(SystemExit, match="127.0.0.1 cannot be reached"):
        get(tmp_path)


def test_what_does_not_fit_is_not_downloaded(
    the_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "available_memory", lambda: 2_000_000)
    with pytest.raises(SystemExit, match="2.0 MB are free here"):
        get(tmp_path)
    assert not any(path.startswith("/store/") for path, _ in the_hub.asked)


def test_a_disk_without_room_is_said_before_anything_comes(
    the_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = hub.shutil.disk_usage(tmp_path)._replace(free=1_500_000)
    monkeypatch.setattr(hub.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(SystemExit, match="has room for 1.5 MB"):
        get(tmp_path)
