"""What the tests of each folder cost: seconds by the clock, and seconds of a processor, those of
processes that tests started and waited for among them. Printed at the end of every run.

A process that several tests share is counted where it ends: at the last of them. What is not in a
test (starting Python, importing, collecting) is in no folder.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
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


Costs = dict[str, Cost]


def pytest_addoption(parser: pytest.Parser) -> None:
    says = "write what the folders cost there instead of printing it"
    parser.addoption("--costs-to", metavar="FILE", help=says)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Meter(config), "costs")


class _Meter:
    """In the process that runs tests it marks reports, in the one that reports it adds up."""

    def __init__(self, config: pytest.Config) -> None:
        self.costs: Costs = {}
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
        self.costs.setdefault(folder(report.location[0]), Cost()).add(cost)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if to := self._config.getoption("--costs-to"):
            Path(to).write_text(json.dumps({k: asdict(c) for k, c in self.costs.items()}))
        elif self.costs:
            terminalreporter.section("what each folder cost", sep="-")
            terminalreporter.write_line(table(self.costs))


def cpu_seconds() -> float:
    """This process's, and those of processes it has waited for, and they for theirs."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def folder(path: str) -> str:
    parts = Path(path).parts
    return f"{parts[1]}/" if len(parts) > 2 else "tests/"


def read(path: Path) -> Costs:
    return {name: Cost(**cost) for name, cost in json.loads(path.read_text()).items()}


def table(costs: Costs) -> str:
    whole = Cost()
    for cost in costs.values():
        whole.add(cost)
    rows = [*sorted(costs.items(), key=lambda item: -item[1].seconds), ("together", whole)]
    lines = [f"{'folder':<14}{'tests':>6}{'seconds':>9}{'CPU':>8}"]
    lines += [f"{name:<14}{c.tests:>6}{c.seconds:>9.1f}{c.cpu:>8.1f}" for name, c in rows]
    return "\n".join(lines)
