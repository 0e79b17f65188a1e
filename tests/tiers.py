"""The tiers of `manage.py test`, as lanes of pytest processes that run beside each other.

What waits for sockets and processes runs beside what computes. A lane has a Valkey, a database
and a folder of its own. What it says comes whole when it has ended; last of all come what the
folders cost and one line for all lanes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from fusion_site.tether import tethered
from tests import costs, tables

ROOT = Path(__file__).resolve().parent.parent
# Two more than the machine that this is measured on has cores: hardly a test computes all the
# time, and what waits for a model, a stream or a lease leaves its core to another. Two more still
# begin, one after the other, where half a core has been idle all the same.
AT_ONCE, AT_MOST = 4, 6
LOOKED_AT, IDLE = 10.0, 0.5  # seconds, and how many cores were idle in them
# In the order in which they begin: the longest first, what computes beside what waits, and last
# what is short, so that none is alone at the end.
LANES = {
    "layout": ("layout",),
    "computing": (),  # whatever is not named here
    "runs": ("scenarios", "realtime", "providers", "llm"),
    "programs": ("api", "evaluation"),
    "browser": ("browser",),
    "machines": ("startup",),
    "live": ("live",),
    "killed": ("chaos", "load"),
    "reading": ("files", "research", "search"),
}
MARK = "pytest.mark.database"
ONLY_LONG = ("benchmarks", "clients", "image")
# What a page does is quick to tell; what a database may do in its own way waits for `.ci/run`.
QUICK = (
    "engine",
    *(f"providers/test_{name}.py" for name in ("request", "sse", "tool_calls")),
    *(f"evaluation/test_{name}.py" for name in ("grading", "tasks")),
)
PAGES = "console"


@dataclass(frozen=True)
class Lane:
    name: str
    command: tuple[str, ...]

    @classmethod
    def of(cls, name: str, places: Sequence[str], *options: str) -> Lane:
        return cls(name, ("-m", "pytest", *(f"tests/{p}" for p in places), *options))


# Its lanes run beside each other; the next begins when all have ended.
Stage = tuple[Lane, ...]


LINT = Lane("lint", ("-m", "tests.lint"))


def quick() -> list[Stage]:
    """In three processes beside the linters', which two cores share."""
    there = sorted((ROOT / "tests" / PAGES).glob("test_*.py"), key=lambda p: -p.stat().st_size)
    places = [f"{PAGES}/{path.name}" for path in there]
    halves = (
        Lane.of(f"pages-{n}", half, "-m", "not database")
        for n, half in enumerate((places[::2], places[1::2]), 1)
    )
    return [(LINT, *halves, Lane.of("quick", QUICK))]


def short(*options: str) -> list[Stage]:
    """Everything. Whatever folder is new computes, until somebody gives it a lane."""
    known = {*ONLY_LONG, *(folder for folders in LANES.values() for folder in folders)}
    tests = ROOT / "tests"
    others = sorted({p.parent.name for p in tests.glob("*/test_*.py")} - known)
    loose = sorted(p.name for p in tests.glob("test_*.py"))
    lanes = LANES | {"computing": (*others, *loose)}  # in its place
    return [tuple(Lane.of(name, places, *options) for name, places in lanes.items())]


def ci() -> list[Stage]:
    """Everything, what a database decides on a PostgreSQL as well, and the linters."""
    (lanes,) = short()
    # By name, since to read all others takes longer than many of these.
    marked = [
        p.relative_to(ROOT / "tests")
        for p in sorted(ROOT.glob("tests/*/test_*.py"))
        if MARK in p.read_text()
    ]
    database = Lane.of("database", [*map(str, marked)], "--postgres", "-m", "database")
    return [(*lanes[:5], database, *lanes[5:], LINT)]


def long() -> list[Stage]:
    benchmarks = (Lane.of("benchmarks", ONLY_LONG, "-s"),)
    return [*short(), benchmarks, *short("--postgres")]


@dataclass
class Running:
    """A lane under way; where it was killed there are no figures, and that is an error."""

    lane: Lane
    folder: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        command = self.lane.command
        if "pytest" in command:
            command = (*command, "--costs-to", str(self._costs))
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                tethered([sys.executable, *command]),
                cwd=ROOT,
                env=os.environ | {tables.SHARED: str(self.folder / "tables.sqlite3")},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C comes once, from `ended_together`
            )

    @property
    def _output(self) -> Path:
        return self.folder / f"{self.lane.name}.log"

    @property
    def _costs(self) -> Path:
        return self.folder / f"{self.lane.name}.json"

    def tell(self, total: costs.Report) -> None:
        say(f"\n== {self.lane.name}: {' '.join(self.lane.command)}")
        say(self._output.read_text(errors="replace").rstrip())
        if self._costs.exists():
            total.add(costs.Report.read(self._costs))
        elif self.process.returncode and "pytest" in self.lane.command:
            total.counts["error"] += 1


class Cores:
    """Whether there is one that nobody needs."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        psutil.cpu_percent()  # counts from here

    def have_idled(self) -> bool:
        """Once in a while, so that what has begun since is counted."""
        if time.monotonic() - self._began < LOOKED_AT:
            return False
        self._began = time.monotonic()
        idle = (1 - psutil.cpu_percent() / 100) * (psutil.cpu_count() or 1)
        return bool(idle >= IDLE)


def run(stages: Sequence[Stage]) -> int:
    """0 when every lane of every stage ended well."""
    began, total, failed = time.monotonic(), costs.Report(), []
    try:
        for stage in stages:
            failed += carry_out(stage, total)
    except KeyboardInterrupt:
        failed.append("interrupted")
    if total.costs:
        say(f"\n{total.table()}")
    for name in failed:
        say(f"== {name} failed" if name != "interrupted" else "== interrupted")
    say(closing_line(total.counts, failed, time.monotonic() - began))
    return 130 if "interrupted" in failed else int(bool(failed))


def carry_out(stage: Stage, total: costs.Report) -> list[str]:
    """The names of the lanes that failed."""
    failed, waiting, running = [], list(stage), list[Running]()
    cores = Cores()
    with tempfile.TemporaryDirectory(prefix="fusion-lanes-") as folder, ended_together(running):
        while running or waiting:
            while waiting and (
                len(running) < AT_ONCE or (len(running) < AT_MOST and cores.have_idled())
            ):
                say(f"== {waiting[0].name} begins")
                running.append(Running(waiting.pop(0), Path(folder)))
            for one in [r for r in running if r.process.poll() is not None]:
                running.remove(one)
                one.tell(total)
                if one.process.returncode:
                    failed.append(one.lane.name)
            time.sleep(0.1)
    return failed


@contextlib.contextmanager
def ended_together(running: list[Running]) -> Iterator[None]:
    """Whether by Ctrl-C or by SIGTERM: each lane gets one Ctrl-C and clears up what it started.
    A second one in the middle of that would leave things behind."""

    def pass_on(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, pass_on)
    try:
        yield
    except BaseException:
        for one in running:
            one.process.send_signal(signal.SIGINT)
        for one in running:
            one.process.wait()
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def closing_line(counts: Counter[str], failed: Sequence[str], seconds: float) -> str:
    """As pytest says it."""
    order = ("failed", "error", "passed", "skipped", "xfailed", "xpassed")
    said = [f"{counts[name]} {name}" for name in order if counts[name]]
    if failed and not (counts["failed"] or counts["error"]):
        said.insert(0, "failed")
    minutes, rest = divmod(round(seconds), 60)
    return f"{', '.join(said) or 'no tests'} in {minutes}:{rest:02} minutes"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="manage.py test", allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="before every commit")
    parser.add_argument("--ci", action="store_true", help="PostgreSQL and the linters, too")
    parser.add_argument("--long", action="store_true", help="what takes an hour, too")
    told = parser.parse_args(arguments)
    if told.long:
        os.environ["FUSION_LONG_TESTS"] = "1"
        return run(long())
    return run(quick() if told.quick else ci() if told.ci else short())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
