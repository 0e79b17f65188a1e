"""One stack for all, rounds that can be asked for again by their seed, and the figures."""

from __future__ import annotations

import os
import random
from collections import defaultdict

import pytest

from tests.live.conftest import alice as alice
from tests.live.conftest import stack as stack
from tests.live.conftest import upstream as upstream
from tests.live.member import Member
from tests.stack import Stack
from tests.upstream import Upstream

from .questions import Questions

_figures: defaultdict[str, list[float]] = defaultdict(list)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("chaos")
    group.addoption("--chaos-seed", type=int, help="repeat what an earlier run drew by lot")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "rounds(short, long): how often the test is carried out")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if marker := metafunc.definition.get_closest_marker("rounds"):
        form = "long" if os.environ.get("FUSION_LONG_TESTS") == "1" else "short"
        metafunc.parametrize("round_number", range(1, marker.kwargs[form] + 1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, values in _figures.items():
        terminalreporter.write_line(
            f"chaos: {name}: {len(values)} x, sum {sum(values):g}, "
            f"median {sorted(values)[len(values) // 2]:.3g}, most {max(values):.3g}"
        )


@pytest.fixture
def figures() -> defaultdict[str, list[float]]:
    return _figures


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    given: int | None = pytestconfig.getoption("--chaos-seed", None)
    return random.randrange(10**6) if given is None else given


@pytest.fixture
def luck(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """The same for the same seed and test; pytest shows the seed of a test that failed."""
    print(f"--chaos-seed {seed}")  # noqa: T201
    return random.Random(f"{seed} {request.node.name}")


@pytest.fixture(autouse=True)
def a_worker(stack: Stack) -> None:
    """A round that failed may have left none."""
    if "worker" not in stack.processes:
        stack.start_worker()


@pytest.fixture
def questions(stack: Stack, alice: Member, upstream: Upstream, luck: random.Random) -> Questions:
    return Questions(stack, alice, upstream, luck)
