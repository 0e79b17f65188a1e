"""The whole rig at work with tiny numbers: every figure can be measured. Times are not asserted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.benchmarks.__main__ import BEGIN, BROKEN, END, FIGURES, SHORT, put
from tests.benchmarks.rig import Rig
from tests.benchmarks.runs import burst
from tests.benchmarks.site import ALL, OTHERS, OURS, ROOT, on_cores
from tests.benchmarks.upstream import age, name, stamp

pytestmark = [
    pytest.mark.live,
    pytest.mark.timeout(1800),
    pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="the rig needs two cores"),
]


def test_every_figure_is_measured_and_stands_in_the_table(tmp_path: Path) -> None:
    page, told, short = tmp_path / "page.md", tmp_path / "rows.json", tmp_path / "short.md"
    page.write_text(f"Before.\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--tiny"]
        + ["--json", str(told), "--markdown", str(page), "--short", str(short)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1, 2), done.stdout + done.stderr
    rows: list[dict[str, Any]] = json.loads(told.read_text())["rows"]
    assert {row["figure"] for row in rows} == {*FIGURES}
    for row in rows:
        assert row["value"] is not None or row["why"], row
        assert row["case"] != BROKEN, row
    text = page.read_text()
    assert text.startswith("Before.") and text.endswith("After.\n") and "old" not in text
    for figure in FIGURES.values():
        assert figure.title in text
    lines = short.read_text().splitlines()
    for figure, case in SHORT:
        assert [line for line in lines if line.startswith(f"| {FIGURES[figure].title} | {case} |")]
    assert len([line for line in lines if line.startswith("| ")]) == len(SHORT) + 2


def test_a_viewer_sees_every_word_of_a_run_and_how_old_it_is() -> None:
    with Rig(ROOT, tiny=True) as rig:
        site = rig.site("2c")
        [told] = uvloop.run(burst(rig, site, 1, 12))
        log = rig.upstream.log()
        words = sum(call.deltas for call in log if not call.is_analysis)
        assert len(told.ages) == words == 7 * 12
        assert all(0 <= one < 600 for one in told.ages)
        spent = site.spent()
        assert spent.seconds["worker"] > 0 and spent.seconds["web"] > 0
        assert all(role in site.memory() for role in ("up", "worker", "web", "valkey"))


def test_on_two_cores_nothing_is_pinned_even_where_the_rest_was_pinned_to_one() -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, ALL)
    all_there_are = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before)
    with Rig(ROOT) as rig:
        rig.lay_out("1c")
        on_one = [*_cores_of(rig), _cores_of_a_child(on_cores((OURS,), SAYS_ITS_CORES))]
        site = rig.fresh_site()
        shutil.rmtree(site.dir)
        on_two = [*_cores_of(rig), _cores_of_a_child(on_cores(site.cores, SAYS_ITS_CORES))]
    assert on_one == [{OTHERS}, {OTHERS}, {OURS}]
    assert on_two == [all_there_are] * 3
    assert os.sched_getaffinity(0) == before


SAYS_ITS_CORES = [sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"]


def _cores_of(rig: Rig) -> list[set[int]]:
    """Of who watches, which is this process, and of the upstream."""
    return [os.sched_getaffinity(process) for process in (0, rig.upstream.process.pid)]


def _cores_of_a_child(command: list[str]) -> set[int]:
    """Of a process that one which is pinned to one core has started."""
    os.sched_setaffinity(0, {OTHERS})
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(map(int, said.stdout.split()))


@pytest.mark.parametrize("moment", [0.0, 12.3456, 1188.1, 987_654.3])
@pytest.mark.parametrize("later", [0.0, 0.0123, 5.0, 500.0])
def test_a_stamp_tells_how_old_it_is(moment: float, later: float) -> None:
    assert abs(age(stamp(moment), moment + later) - later) < 0.0003


def test_a_page_without_marks_becomes_the_table(tmp_path: Path) -> None:
    put(tmp_path / "new.md", "the table\n")
    assert (tmp_path / "new.md").read_text() == "the table\n"
    assert name(100, 50, 300, of="seat1") == "seat1-100t-50r-300f"
