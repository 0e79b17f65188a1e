"""What an answer twice as long costs: bytes to a viewer and CPU of the worker, f(2n) ÷ f(n).

What does not depend on its length (a run's beginning, analysis and fusion) is in both, so a text
read anew for every delta would come near 4.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks import watching
from tests.benchmarks.rig import Rig, Samples
from tests.benchmarks.rows import Asked
from tests.benchmarks.upstream import name

FIGURE = "growth"
KINDS = {"mixed": "Markdown", "table": "one table", "line": "one line"}
GATE, AIM = 2.3, 2.0
JUDGE = name(20, 500, 0, of="judge")


@dataclass(frozen=True)
class Cost:
    bytes: float
    cpu: float


def measure(rig: Rig) -> Samples:
    length = rig.size(4_000, 2_000, 20)
    for kind, what in KINDS.items():
        once, twice = cost(rig, kind, length), cost(rig, kind, 2 * length)
        cases = {
            "a viewer's bytes": (once.bytes, twice.bytes),
            "worker's CPU": (once.cpu, twice.cpu),
        }
        for case, (short, long) in cases.items():
            asked = Asked(FIGURE, f"{case}, {what}", "", GATE, AIM)
            yield rig.sample(asked, long / max(short, 0.01))


def cost(rig: Rig, kind: str, tokens: int) -> Cost:
    site = rig.site("2c")
    with watching.member(site) as alice:
        before = site.spent()
        one = watching.ask(rig, alice, [name(tokens, 500, 0, of=kind)], JUDGE)
        watching.watch(alice, [one])
        spent = site.spent().since(before)
    return Cost(one.bytes, spent.seconds["worker"])
