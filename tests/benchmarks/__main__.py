"""Everything that is measured, beside its gate, its aim, its floor and its peer.

    .venv/bin/python -m tests.benchmarks [FIGURE …] [--against REF] [--repeat 3] [--quick]
                                         [--json FILE] [--markdown FILE] [--short FILE]

Without figures, all of them. `--against REF` measures another commit in the same run, turn by
turn. `--markdown` puts the table between the two marks of a page that has them, `--short` those
of its rows that say most. It ends with 1 where a gate was missed or a figure could not be measured,
with 2 where the machine was too busy.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import platform
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import tests.environment  # noqa: F401 - first: the keys and the database are its own
from tests.benchmarks import floor, rows
from tests.benchmarks.rig import Rig
from tests.benchmarks.site import ROOT, checked_out, name_of

BROKEN = "what broke"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


@dataclass(frozen=True)
class Figure:
    """`module` has `measure(rig)`, which yields this repetition's samples of all its figures."""

    title: str
    module: str


FIGURES = {
    "latency": Figure("Age of a token when the page shows it", "runs"),
    "wall": Figure("Run ÷ (slowest seat + analysis + synthesis)", "runs"),
    "start": Figure("Submit → first request", "runs"),
    "first-token": Figure("First token late", "runs"),
    "cpu": Figure("CPU per 1,000 tokens", "cpu"),
    "pass-through": Figure("By the API", "pass_through"),
    "capacity": Figure("Streams at once, p99 < 100 ms", "capacity"),
    "viewers": Figure("Viewers at once, p99 < 150 ms", "viewers"),
    "bytes": Figure("Bytes to a viewer per token", "bytes_sent"),
    "growth": Figure("Twice the answer ÷ the answer", "growth"),
    "memory": Figure("Memory, worker and two web processes", "memory"),
    "pages": Figure("Pages' p95", "pages"),
    "shared": Figure("Two workers and two web processes ÷ one of each", "shared"),
    "script": Figure("Script in the page, 8 columns at 100 tokens a second", "script"),
    "lost": Figure("Tokens lost", "lost"),
}

SHORT = {
    ("latency", "one run, 1c, p50"),
    ("latency", "one run, 1c, p99"),
    ("wall", "one run, 1c"),
    ("wall", "20 short in a burst, 2c"),
    ("start", "one run, 1c"),
    ("cpu", "30 long streams, one viewer, 1c: ÷ floor"),
    ("cpu", "30 long streams, one viewer, 1c: ÷ LiteLLM"),
    ("pass-through", "added first token, 6 streams, 1c"),
    ("pass-through", "CPU at 500 tokens, 1c: ÷ LiteLLM"),
    ("capacity", "long, 1c"),
    ("capacity", "long, 1c: ÷ LiteLLM"),
    ("viewers", "one run, one web process, 1c"),
    ("memory", "at 20 runs"),
    ("pages", "history, 100,000 ÷ 1,000 runs, SQLite"),
    ("pages", "history, 100,000 ÷ 1,000 runs, PostgreSQL"),
    ("lost", "180 streams"),
}


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    wanted = options.figure or list(FIGURES)
    modules = list(dict.fromkeys(FIGURES[name].module for name in wanted))
    signal.signal(signal.SIGTERM, _interrupted)  # what was started is ended, too
    began = time.monotonic()
    samples: list[rows.Sample] = []
    readings: list[list[floor.Reading]] = []  # of each repetition
    against = name_of(options.against) if options.against else ""
    with _rigs(options, against) as rigs:
        for repetition in range(options.repeat):
            readings.append([])
            for module in modules:
                readings[-1].append(_floor(rigs[0]))
                for rig in rigs:
                    rig.floor, rig.repetition = readings[-1][-1], repetition
                    samples += _measured(rig, module, wanted)
        readings[-1].append(_floor(rigs[0]))
    foreign = max(read.foreign for of_one in readings for read in of_one)
    machine = rows.Machine.of([[read.cpu for read in of_one] for of_one in readings], foreign)
    samples = [replace(s, machine=machine.floors[s.repetition]) for s in samples]
    table = rows.make(samples, machine)
    notes = _notes(options, time.monotonic() - began)
    titles = {key: figure.title for key, figure in FIGURES.items()}
    text = rows.markdown(table, machine, notes, titles, against=against)
    _say(text)
    if options.json:
        told = {"notes": notes, "floors": machine.floors, "foreign": machine.foreign}
        told |= {"readings of the floor": machine.readings}
        options.json.write_text(json.dumps(told | {"rows": [r.to_dict() for r in table]}, indent=1))
    if options.markdown:
        put(options.markdown, text)
    if options.short:
        few = [row for row in table if (row.figure, row.case) in SHORT]
        put(options.short, rows.markdown(few, machine, notes, titles, against=against))
    if machine.is_too_busy:
        return 2
    return int(any(row.verdict in ("missed", "not measured") for row in table))


def _interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _rigs(options: argparse.Namespace, against: str) -> Iterator[list[Rig]]:
    sizes = {"quick": options.quick, "tiny": options.tiny}
    with contextlib.ExitStack() as opened:
        rigs = [opened.enter_context(Rig(ROOT, **sizes))]
        if against:
            checkout = opened.enter_context(checked_out(options.against))
            rigs.append(opened.enter_context(Rig(checkout, against, **sizes)))
        yield rigs


def _floor(rig: Rig) -> floor.Reading:
    rig.lay_out("1c")
    ours = [os.getpid(), rig.upstream.process.pid]
    sizes = rig.size(floor.STREAMS, tiny=3), rig.size(floor.TOKENS, 300, tiny=20)
    reading = floor.read(rig.upstream.url, *sizes, beside=ours)
    _say(
        f"floor: {reading.cpu:.0f} CPU-ms per 1,000 tokens, others used {reading.foreign:.2f} cores"
    )
    return reading


def _measured(rig: Rig, module: str, wanted: Sequence[str]) -> Iterator[rows.Sample]:
    """What breaks costs its own figures only."""
    measure = importlib.import_module(f"tests.benchmarks.{module}").measure
    try:
        for sample in measure(rig):
            if sample.asked.figure in wanted:
                _say(_line(sample))
                yield sample
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        figure = next(name for name in wanted if FIGURES[name].module == module)
        why = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        yield rig.sample(rows.Asked(figure, BROKEN, ""), None, why=why)


def _line(sample: rows.Sample) -> str:
    asked, at = sample.asked, f" at {sample.at}" if sample.at else ""
    value = f"{rows.shown(rows.value_of(sample))} {asked.unit}".rstrip()
    return f"{asked.figure}, {asked.case}{at}: {value} {sample.why}".rstrip()


def _notes(options: argparse.Namespace, seconds: float) -> dict[str, str]:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "Commit": name_of("HEAD"),
        "Machine": f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}",
        "Run": f"{options.repeat} repetitions, their medians, in {seconds / 60:.0f} minutes",
        "Day": time.strftime("%-d %B %Y"),
    }


def put(page: Path, text: str) -> None:
    """Between the marks, or as the whole page where there are none."""
    old = page.read_text() if page.exists() else ""
    before, begins, rest = old.partition(BEGIN)
    _, ends, after = rest.partition(END)
    marked = f"{before}{BEGIN}\n\n{text}\n{END}{after}"
    page.write_text(marked if begins and ends else text)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.benchmarks", allow_abbrev=False)
    parser.add_argument("figure", nargs="*", help=", ".join(FIGURES))
    parser.add_argument("--against", metavar="REF", help="a commit to measure beside this one")
    parser.add_argument("--repeat", type=int, default=0, help="repetitions; 3, with --quick 1")
    parser.add_argument("--quick", action="store_true", help="smaller, in a few minutes")
    parser.add_argument("--tiny", action="store_true", help="only that everything works")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    parser.add_argument("--short", type=Path, metavar="FILE", help="only the rows that say most")
    options = parser.parse_args(arguments)
    if unknown := sorted({*options.figure} - {*FIGURES}):
        parser.error(f"there is no figure {', '.join(unknown)}: {', '.join(FIGURES)}")
    options.repeat = options.repeat or (1 if options.quick or options.tiny else 3)
    if (os.cpu_count() or 1) < 2:
        parser.error("two cores are needed: one for the product, one for who watches it")
    return options


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
