"""`manage.py test` without a folder: lanes of pytest processes, and what is said of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests import tiers
from tests.stack import PATIENCE, ROOT, until
from tests.tiers import Lane


def places(stages: list[tiers.Stage]) -> Counter[str]:
    said = [part for stage in stages for lane in stage for part in lane.command]
    return Counter(part for part in said if part.startswith("tests/"))


def test_every_folder_and_every_loose_file_of_tests_is_in_one_lane() -> None:
    tests = ROOT / "tests"
    there = {f"tests/{p.parent.name}" for p in tests.glob("*/test_*.py")}
    there |= {f"tests/{p.name}" for p in tests.glob("test_*.py")}
    benchmarks = {f"tests/{name}" for name in tiers.ONLY_LONG}
    assert places(tiers.short()) == Counter(there - benchmarks)
    assert places(tiers.long()) == Counter({p: 1 if p in benchmarks else 2 for p in there})
    quick = places(tiers.quick())
    assert all((ROOT / place).exists() for place in quick) and {*quick.values()} == {1}
    pages = {f"tests/console/{p.name}" for p in tests.glob("console/test_*.py")}
    assert pages == {place for place in quick if place.startswith("tests/console")}
    assert not places(tiers.short()) - places(tiers.ci())


def test_ci_runs_what_a_database_decides_and_the_linters_beside_the_rest() -> None:
    (lanes,) = tiers.ci()
    names = [lane.name for lane in lanes]
    assert {*tiers.LANES, "database", "lint"} == {*names} and len(names) == len({*names})
    (database,) = (lane for lane in lanes if lane.name == "database")
    assert database.command[-3:] == ("--postgres", "-m", "database")
    assert {"tests/console/test_purses.py", "tests/search/test_entries.py"} < {*database.command}


@pytest.mark.parametrize(("idle", "at_once"), [(True, tiers.AT_MOST), (False, tiers.AT_ONCE)])
def test_a_further_lane_begins_where_a_core_has_nothing_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], idle: bool, at_once: int
) -> None:
    monkeypatch.setattr(tiers.Cores, "have_idled", lambda self: idle)
    begun: list[int] = []

    class Counted(tiers.Running):
        def tell(self, total: Any) -> None:
            begun.append(capsys.readouterr().out.count("begins"))

    monkeypatch.setattr(tiers, "Running", Counted)
    waits = Lane("waits", ("-c", "import sys; sys.stdin.read()"))
    assert tiers.run([(waits,) * (tiers.AT_MOST + 1)]) == 0
    assert begun[0] == at_once


def test_lanes_are_told_whole_and_summed_up_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_one.py").write_text("def test_well(): pass\ndef test_badly(): assert 0\n")
    (tmp_path / "test_two.py").write_text("def test_well(): pass\n")
    pytest_here = ("-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"))
    one, two = (
        Lane(name, (*pytest_here, str(tmp_path / f"test_{name}.py"))) for name in ("one", "two")
    )
    ended = Lane("ended", ("-m", "pytest", "-p", "no_such_plugin"))
    lint = Lane("lint", ("-c", "print('all is fine')"))
    assert tiers.run([(one, lint), (two, ended)]) == 1
    said = capsys.readouterr().out
    assert "all is fine" in said
    for name, words in (("one", "test_badly"), ("ended", "no_such_plugin")):
        _, _, output = said.partition(f"\n== {name}: ")
        assert words in output.partition("\n== ")[0]
    assert sorted(said.splitlines()[-3:-1]) == ["== ended failed", "== one failed"]
    assert said.splitlines()[-1].startswith("1 failed, 1 error, 2 passed in ")
    assert tiers.run([(two, lint)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 passed in ")


def test_who_is_asked_to_end_lets_the_lanes_clear_up(
    tmp_path: Path, ordinary_signals: None
) -> None:
    lane = textwrap.dedent(f"""
        import pathlib, time
        here = pathlib.Path({str(tmp_path)!r})
        try:
            (here / "begun").touch()
            time.sleep(60)
        finally:
            (here / "cleared").touch()
    """)
    asked = f"from tests.tiers import *; raise SystemExit(run([(Lane('long', ('-c', {lane!r})),)]))"
    with subprocess.Popen([sys.executable, "-c", asked], cwd=ROOT, stdout=subprocess.PIPE) as told:
        until((tmp_path / "begun").exists)
        os.kill(told.pid, signal.SIGTERM)
        assert told.wait(60) == 130
        assert told.stdout and b"== interrupted" in told.stdout.read()
    assert (tmp_path / "cleared").exists()


def test_a_lane_that_does_not_end_when_all_is_said_fails_and_tells_who_keeps_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent("""
            import threading

            def waits_for_what_never_comes():
                threading.Event().wait()

            def test_passes():
                threading.Thread(target=waits_for_what_never_comes).start()
        """)
    )
    told = ("-p", "tests.leaving", "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path))
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *told, "--leave-within", "0.3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert "1 passed" in ended.stdout and ended.returncode == 1
    assert "waits_for_what_never_comes" in ended.stderr
