"""A run of tests that has said its last line ends: what keeps the process from ending, a thread
that nobody waits for any more, is told with the stacks of all threads, and is a failure."""

from __future__ import annotations

import faulthandler
import sys

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    says = "how long the process may take to end when all has been said; then it is a failure"
    parser.addoption("--leave-within", type=float, default=60, metavar="SECONDS", help=says)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    # From C, whatever Python's own threads wait for. Who ends in time ends it, too.
    faulthandler.dump_traceback_later(
        config.getoption("--leave-within"), exit=True, file=sys.__stderr__ or 2
    )
