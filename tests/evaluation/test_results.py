from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest

from console.evaluation.results import BadResults, Results

HEADER = {"tasks": "t", "preset": "local", "grader": {"model": "m"}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "evaluations" / "results.jsonl"


def test_what_was_added_is_there_again_under_the_same_name(path: Path) -> None:
    with Results(path, HEADER) as first:
        first.add("a", cost="0.1", text="line\u2028separator \ud800")
        name = first.header["evaluation"]
    with Results(path, HEADER) as again:
        assert again.header["evaluation"] == name
        assert again.steps == {
            "a": {"step": "a", "cost": "0.1", "text": "line\u2028separator \ud800"}
        }


@pytest.mark.parametrize("torn", [b'{"step": "b", "co', b'{"step": "b"}'])
def test_a_line_cut_off_by_a_sudden_end_is_dropped(path: Path, torn: bytes) -> None:
    with Results(path, HEADER) as results:
        results.add("a")
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    with Results(path, HEADER) as again:
        assert list(again.steps) == ["a"]
        again.add("c")
    assert [json.loads(line).get("step") for line in path.read_bytes().splitlines()] == [
        None,
        "a",
        "c",
    ]


@pytest.mark.parametrize("content", ["no results", '{"id": "x"}\n', "[]\n", '{"id": "x"}'])
def test_a_file_of_something_else_is_refused_and_left_as_it_is(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(BadResults, match="line 1: this is no result"):
        Results(path, HEADER)
    assert path.read_text() == content


@pytest.mark.parametrize("other", [{"tasks": "u"}, {"preset": "b"}, {"grader": {"model": "n"}}])
def test_results_of_something_else_are_not_mixed_in(path: Path, other: dict[str, object]) -> None:
    Results(path, HEADER).__exit__(None, None, None)
    before = path.read_bytes()
    with pytest.raises(BadResults, match="Name another file with --out"):
        Results(path, HEADER | other)
    assert path.read_bytes() == before


def test_two_at_once_are_refused(path: Path) -> None:
    with Results(path, HEADER), pytest.raises(BadResults, match="Another evaluate"):
        Results(path, HEADER)
    Results(path, HEADER).__exit__(None, None, None)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadResults, match="cannot be written"):
        Results(tmp_path, HEADER)


def test_a_disk_that_is_full_is_said_so_and_leaves_whole_lines(path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Results(path, HEADER) as results:
        results.add("a")
        whole = path.read_bytes()
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 10, before[1]))
        try:
            with pytest.raises(BadResults, match="cannot be written: .* nothing is bought twice"):
                results.add("b", text="x" * 100)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == whole
    with Results(path, HEADER) as again:
        assert list(again.steps) == ["a"]
