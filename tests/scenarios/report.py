"""What the scenarios showed, as one page of Markdown.

FUSION_FAULTS_PAGE=docs/faults.md python3 manage.py test tests/scenarios
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from .scenario import Scenario
from .stage import Outcome

NAME = "scenario"
HEAD = """\
# What happens when a model misbehaves

Every row below is a test. A real local server misbehaves as the row says while good models
answer beside it; what follows is what the run's page said (of the seat; in U-46 and U-47,
where the judge misbehaves, of the analysis), what was saved, what it cost and
how long it took. Made by

    FUSION_FAULTS_PAGE=docs/faults.md python3 manage.py test tests/scenarios

with short limits (first word 1 s, silence 0.6 s, connecting 0.6 s) and dear models ($0.001
a token read, $0.002 a token written), so that waiting and money can be seen.

In every row it also held that

- the other models' answers arrived whole and were not held up, and went on to be fused;
- the live page, the reloaded page, the event log and the saved rows said the same;
- the calls on record were the requests the server counted, no more than three to a seat;
- nothing was asked again after its first word had come;
- no key and no cookie went to another server, and none was shown or logged.

"""


def note(record: Any, scenario: Scenario, outcome: Outcome, sees: str) -> None:
    tries = outcome.tries(scenario)
    last = tries[-1]
    words = len(last.text.split())
    if len(last.text) > 10_000 and words < 100:
        saved = f"{len(last.text):,} characters"
    else:
        saved = f"{words:,} word{'' if words == 1 else 's'}"
    if last.reasoning:
        saved += " and its reasoning"
    if last.reason:
        saved += f", `{last.reason}`"
    if len(tries) > 1:
        saved += f", {len(tries)} calls"
    if any(t.was_billable and t.cost is None for t in tries):
        money = "unknown"
    elif not any(t.was_billable for t in tries):
        money = "nothing"
    else:
        money = f"${sum(t.cost or 0 for t in tries):.3f}"
    record(
        NAME, [scenario.id, scenario.title, sees, saved, money, f"{took(outcome, scenario):.1f}"]
    )


def note_panel(record: Any, id: str, title: str, outcome: Outcome, sees: str) -> None:
    """Of the run as a whole, where no one seat is the point."""
    seats = [outcome.state.answer(n) for n in range(len(outcome.run.frozen_spec.panel))]
    usable = sum(bool(call and call.is_usable) for call in seats)
    calls = outcome.state.calls.values()
    money = f"${sum(call.cost or 0 for call in calls):.3f}"
    if any(call.was_billable and call.cost is None for call in calls):
        money += " and what is unknown"
    saved = f"{usable} of {len(seats)} answers whole, {len(calls)} calls"
    record(NAME, [id, title, sees, saved, money, f"{outcome.seconds:.1f}"])


def note_list(record: Any, id: str, title: str, sees: str, seconds: float) -> None:
    record(NAME, [id, title, sees, "no call is made", "nothing", f"{seconds:.1f}"])


def took(outcome: Outcome, scenario: Scenario) -> float:
    """Seconds from the first try to the end of the last."""
    tries = outcome.tries(scenario)
    began, ended = tries[0].started_at, tries[-1].finished_at
    assert began and ended
    return ended - began


def write(terminal: Any) -> None:
    target = os.environ.get("FUSION_FAULTS_PAGE")
    if not target:
        return
    rows: dict[str, list[str]] = {}
    for passed in terminal.stats.get("passed", []):
        for name, row in passed.user_properties:
            if name == NAME:
                rows.setdefault(f"{row[0]} {row[1]}", row)  # the transport in use comes first
    failed = len(terminal.stats.get("failed", []))
    if failed:
        terminal.write_line(f"{target} is not written: {failed} scenarios failed")
        return
    lines = ["| | What the server does | What the reader sees | Saved | Cost | Seconds |"]
    lines += ["|---|---|---|---|---|---:|"]
    for row in sorted(rows.values(), key=lambda row: row[0]):
        lines.append("| " + " | ".join(_cell(text) for text in row) + " |")
    Path(target).write_text(HEAD + "\n".join(lines) + "\n")
    terminal.write_line(f"{len(rows)} scenarios written to {target}")


# What is pressed is no news, nor is the name of a figure that is not known.
_PRESSED = re.compile(
    r"Copy answer \w(?: ▾ Copy answer \w as rich text or Markdown)? |Speed (?=Time )"
)


def _cell(text: str) -> str:
    text = _PRESSED.sub("", text)
    text = text if len(text) <= 200 else text[:199] + "…"
    for mark in "\\|<>*[]":
        text = text.replace(mark, "\\" + mark if mark != "|" else "\\|")
    return text
