"""What the tests of each folder cost: seconds by the clock, and seconds of a processor, those of
processes that tests started and waited for among them. Printed at the end of every run.

A process that several tests share is counted where it ends: at the last of them. What is not in a
test (starting Python, importing, collecting) is in no folder.
"""

from __future__ import annotations

import json
import resource
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent


@dataclass
class Cost:
    tests: int = 0
    seconds: float = 0
    cpu: float = 0

    def add(self, other: Cost) -> None:
        self.tests += other.tests
        self.seconds += other.seconds
        self.cpu += other.cpu


@dataclass
class Report:
    """Of one run or of several: what folders cost, and how many tests passed, failed …"""

    costs: dict[str, Cost] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, other: Report) -> None:
        for name, cost in other.costs.items():
            self.costs.setdefault(name, Cost()).add(cost)
        self.counts += other.counts

    def write(self, path: Path) -> None:
        costs = {name: asdict(cost) for name, cost in self.costs.items()}
        path.write_text(json.dumps({"costs": costs, "counts": self.counts}))

    @classmethod
    def read(cls, path: Path) -> Report:
        said = json.loads(path.read_text())
        costs = {name: Cost(**cost) for name, cost in said["costs"].items()}
        return cls(costs, Counter(said["counts"]))

    def table(self) -> str:
        whole = Cost()
        for cost in self.costs.values():
            whole.add(cost)
        dearest = sorted(self.costs.items(), key=lambda item: -item[1].seconds)
        lines = [f"{'folder':<14}{'tests':>6}{'seconds':>9}{'CPU':>8}"]
        lines += [
            f"{name:<14}{c.tests:>6}{c.seconds:>9.1f}{c.cpu:>8.1f}"
            for name, c in [*dearest, ("together", whole)]
        ]
        return "\n".join(lines)


def pytest_addoption(parser: pytest.Parser) -> None:
    says = "write what the folders cost there instead of printing it"
    parser.addoption("--costs-to", metavar="FILE", help=says)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Meter(config), "costs")


class _Meter:
    """In the process that runs tests it marks reports, in the one that reports it adds up."""

    def __init__(self, config: pytest.Config) -> None:
        self._report = Report()
        self._config = config
        self._cpu = cpu_seconds()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Iterator[None]:
        report = yield
        # Extra attributes travel with a report from the processes of pytest-xdist.
        before, self._cpu = self._cpu, cpu_seconds()
        report.cpu_seconds = self._cpu - before  # type: ignore[attr-defined]
        return report

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        cost = Cost(int(report.when == "call"), report.duration, getattr(report, "cpu_seconds", 0))
        self._report.costs.setdefault(folder(report.location[0]), Cost()).add(cost)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        told = terminalreporter.stats
        for outcome in ("passed", "failed", "error", "skipped", "xfailed", "xpassed"):
            self._report.counts[outcome] = len(told.get(outcome, ()))
        if to := self._config.getoption("--costs-to"):
            self._report.write(Path(to))
        elif self._report.costs:
            terminalreporter.section("what each folder cost", sep="-")
            terminalreporter.write_line(self._report.table())


def cpu_seconds() -> float:
    """This process's, and those of processes it has waited for, and they for theirs."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def folder(path: str) -> str:
    parts = Path(path).parts
    return f"{parts[1]}/" if len(parts) > 2 else "tests/"
