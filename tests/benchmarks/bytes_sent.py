"""Bytes that a viewer is sent for a token: everything on its socket ÷ everything that models wrote.

Prose is six columns at 50 tokens a second; table, code and the endless line are one column at 500.
"""

from __future__ import annotations

from tests.benchmarks import texts, watching
from tests.benchmarks.rig import Rig, Samples
from tests.benchmarks.rows import Asked
from tests.benchmarks.upstream import name

FIGURE, UNIT = "bytes", "B"
PROSE = Asked(FIGURE, "prose, 6 columns", UNIT, 60, 40)
TABLE = Asked(FIGURE, "table of 300 rows", UNIT, 150, 80)
CODE = Asked(FIGURE, "code of 500 lines", UNIT, 150, 80)
LINE = Asked(FIGURE, "endless line of 20,000 tokens", UNIT, 60, 30)


def measure(rig: Rig) -> Samples:
    lengths = {
        PROSE: rig.size(400, 200, 20),
        TABLE: texts.tokens_of("table", rig.size(300, 300, 5)),
        CODE: texts.tokens_of("code", rig.size(500, 500, 5)),
        LINE: rig.size(20_000, 8_000, 50),
    }
    models = {
        PROSE: [name(lengths[PROSE], 50, of=f"prose-{seat}") for seat in "abcdef"],
        TABLE: [name(lengths[TABLE], 500, of="table")],
        CODE: [name(lengths[CODE], 500, of="code")],
        LINE: [name(lengths[LINE], 500, of="line")],
    }
    with watching.member(rig.site("2c")) as alice:
        runs = {case: watching.ask(rig, alice, seats) for case, seats in models.items()}
        watching.watch(alice, list(runs.values()))
    for case, one in runs.items():
        yield rig.sample(case, one.bytes / one.tokens(rig))
