"""The report: what the book says, as one object and as a table.

Only what has been paid for and graded counts; everything left out is counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from statistics import fmean
from typing import Any

from console.engine.usage import money, total_cost

from .arms import MATCHED, PRESET, SAME_MODEL, SOLO, WITHOUT_RESEARCH
from .book import ArmAnswer, Book, PairOutcome
from .intervals import paired, wilson
from .spending import spent
from .tasks import Task

Data = dict[str, Any]


def make_report(book: Book, header: Data, *, stopped: str = "") -> Data:
    """`stopped` says why it is not complete; "" when it is."""
    matched = any(book.answer(MATCHED, task) for task in book.tasks)
    other = [book.other_research] if book.other_research else []
    rivals = [*other, SOLO, SAME_MODEL, *([MATCHED] if matched else [])]
    arms = [PRESET, *rivals]
    best = book.best_solo
    return {
        "evaluation": header["evaluation"],
        "preset": header["preset"],
        "grader": header["grader"]["model"],
        "tasks": len(book.tasks),
        "complete": not stopped,
        "stopped": stopped or None,
        "best_solo": best.name if best else None,
        "arms": {arm: _arm(book, [(t, book.answer(arm, t)) for t in book.tasks]) for arm in arms},
        "solos": {
            s.name: _arm(book, [(t, book.solo(s, t)) for t in book.tasks]) for s in book.solos
        },
        "preset_against": {arm: _against(book, arm) for arm in rivals},
        "research": _research(book, other[0]) if other else None,
        "matched": [_matched(book, task) for task in book.tasks if matched],
        "judgements": _judgements(book),
        "spent": spent(book.steps).to_dict(),
        "results": [_task(book, task, arms) for task in book.tasks],
    }


def _arm(book: Book, answers: Iterable[tuple[Task, ArmAnswer | None]]) -> Data:
    """Scores are of exact and rubric tasks; pairwise ones give none by themselves."""
    answered = [(t, a) for t, a in answers if a]
    scored = [(t, a) for t, a in answered if t.is_scored and book.is_graded(t, a.text)]
    scores = [book.score(t, a.text) for t, a in scored]
    parsed = [s for s in scores if s is not None]
    points = sum(parsed)
    cost, partial = _cost(a for _, a in answered)
    scored_cost, scored_partial = _cost(a for _, a in scored)
    known = points and scored_cost is not None and not scored_partial
    seconds = [a.seconds for _, a in answered if a.seconds is not None]
    return {
        "answers": sum(bool(a.text) for _, a in answered),
        "failed": sum(not a.text for _, a in answered),
        "scored": len(parsed),
        "unparsed": len(scores) - len(parsed),
        "mean_score": round(points / len(parsed), 4) if parsed else None,
        "cost": _money(cost),
        "cost_is_partial": partial,
        "cost_per_point": _money(scored_cost / Decimal(str(points)))
        if known and scored_cost is not None
        else None,
        "seconds": round(sum(seconds), 1) if seconds else None,
        "seconds_per_task": round(sum(seconds) / len(seconds), 1) if seconds else None,
        "output_tokens": sum(a.tokens or 0 for _, a in answered),
        "calls": sum(a.calls for _, a in answered),
    }


def _against(book: Book, arm: str) -> Data:
    """The preset against another arm: a tie is half a win, an unparsed one neither."""
    outcomes = [o for task in book.tasks if (o := _outcome(book, arm, task))]
    count = {o: outcomes.count(o) for o in PairOutcome}
    decided = len(outcomes) - count[PairOutcome.UNPARSED]
    won = count[PairOutcome.WIN] + count[PairOutcome.TIE] / 2
    low, high = wilson(won, decided)
    return {
        "wins": count[PairOutcome.WIN],
        "ties": count[PairOutcome.TIE],
        "losses": count[PairOutcome.LOSS],
        "unparsed": count[PairOutcome.UNPARSED],
        "missing": len(book.tasks) - len(outcomes),
        "win_rate": round(won / decided, 4) if decided else None,
        "interval": [round(low, 4), round(high, 4)],
    }


def _research(book: Book, arm: str) -> Data:
    """By how much looking things up changed the scores, task by task."""
    changes = []
    for task in book.tasks:
        answers = [book.answer(a, task) for a in (PRESET, arm)]
        given = [a.text for a in answers if a]
        if not task.is_scored or len(given) < 2 or not all(book.is_graded(task, t) for t in given):
            continue
        preset, other = (book.score(task, text) for text in given)
        if preset is not None and other is not None:
            changes.append(preset - other if arm == WITHOUT_RESEARCH else other - preset)
    low, high = paired(changes)
    return {
        "arm": arm,
        "scored": len(changes),
        "difference": round(fmean(changes), 4) if changes else None,
        "interval": [round(low, 4), round(high, 4)],
    }


def _outcome(book: Book, arm: str, task: Task) -> PairOutcome | None:
    one, other = book.answer(PRESET, task), book.answer(arm, task)
    if one is None or other is None:
        return None
    if not all(book.is_graded(task, a.text) for a in (one, other)):
        return None
    if book.unasked_orders(task, one.text, other.text):
        return None
    return book.outcome(task, one.text, other.text)


def _matched(book: Book, task: Task) -> Data:
    samples = book.samples(task)
    return {
        "task": task.id,
        "samples": len(samples.answers) if samples else 0,
        "bought": samples.wanted if samples else None,
        "by": samples.basis if samples else None,
    }


def _judgements(book: Book) -> Data:
    """Everything the grader was asked. `order_changed`: the same pair, another verdict."""
    asked = [
        e for name, e in book.steps.items() if name.split("/")[0] in ("grade", "pair", "select")
    ]
    pairs: dict[frozenset[str], list[str]] = {}
    for name, entry in book.steps.items():
        if name.startswith("pair/") and entry["verdict"] is not None:
            _, mark, *rest = name.split("/", 2)
            first, second = mark.split("-")
            # Which answer it names, whatever place it stood in.
            verdict = {"1": first, "2": second}.get(entry["verdict"], "tie")
            pairs.setdefault(frozenset([first, second, *rest]), []).append(verdict)
    both = [verdict for verdict in pairs.values() if len(verdict) == 2]
    cost, partial = _cost(ArmAnswer.of(e) for e in asked)
    return {
        "asked": len(asked),
        "unparsed": sum(e["verdict"] is None for e in asked),
        "pairs": len(both),
        "order_changed": sum(len(set(verdicts)) > 1 for verdicts in both),
        "cost": _money(cost),
        "cost_is_partial": partial,
    }


def _task(book: Book, task: Task, arms: list[str]) -> Data:
    row: Data = {"task": task.id, "grader": task.grader.value, "arms": {}}
    for arm in arms:
        answer = book.answer(arm, task)
        if answer is None:
            continue
        graded = task.is_scored and book.is_graded(task, answer.text)
        outcome = _outcome(book, arm, task) if arm != PRESET else None
        row["arms"][arm] = {
            "run": answer.run,
            "answer": answer.text,
            "error": answer.error or None,
            "score": book.score(task, answer.text) if graded else None,
            "preset_against_it": outcome.value if outcome else None,
            "cost": _money(answer.cost),
            "cost_is_partial": answer.cost_is_partial,
            "seconds": answer.seconds,
        }
    return row


def _cost(answers: Iterable[ArmAnswer]) -> tuple[Decimal | None, bool]:
    answers = list(answers)
    cost, partial = total_cost(a.cost for a in answers)
    return cost, partial or any(a.cost_is_partial for a in answers)


def _money(cost: Decimal | None) -> float | None:
    return None if cost is None else float(round(cost, 8))


def as_table(report: Data) -> str:
    arms = {
        **report["arms"],
        **{f"  {name}": arm for name, arm in report["solos"].items()},
    }
    rows = [["", "answers", "mean score", "cost", "cost/point", "s/task", "calls"]]
    for name, arm in arms.items():
        label = f"{name} ({report['best_solo']})" if name == SOLO and report["best_solo"] else name
        scored = f" of {arm['scored']}" + (
            f", {arm['unparsed']} unparsed" if arm["unparsed"] else ""
        )
        rows.append(
            [
                label,
                f"{arm['answers']}" + (f", {arm['failed']} failed" if arm["failed"] else ""),
                _number(arm["mean_score"], "{:.3f}") + (scored if arm["scored"] else ""),
                money(arm["cost"], arm["cost_is_partial"]),
                money(arm["cost_per_point"]),
                _number(arm["seconds_per_task"], "{:.1f}"),
                f"{arm['calls']}",
            ]
        )
    against = [["preset against", "wins", "ties", "losses", "unparsed", "win rate", "95 %"]]
    for name, a in report["preset_against"].items():
        low, high = a["interval"]
        against.append(
            [
                name,
                *(f"{a[k]}" for k in ("wins", "ties", "losses", "unparsed")),
                _number(a["win_rate"], "{:.0%}"),
                f"{low:.0%} to {high:.0%}",
            ]
        )
    judged, total = report["judgements"], report["spent"]
    sentence = (
        f"{judged['asked']} judgements by {report['grader']}, {judged['unparsed']} unparsed; "
        f"{judged['order_changed']} of {judged['pairs']} pairs were judged otherwise when swapped"
    )
    paid = f"spent {money(total['cost'], bool(total['unknown']))} in {total['calls']} calls"
    lines = [
        _columns(rows),
        _columns(against),
        *_research_lines(report),
        *_matched_lines(report),
        sentence + ".",
        paid + ".",
    ]
    if report["stopped"]:
        lines.append(f"Not complete: {report['stopped']}")
    return "\n\n".join(lines)


def _research_lines(report: Data) -> list[str]:
    if not (found := report["research"]):
        return []
    if found["difference"] is None:
        return ["Research: no task that is scored has both answers."]
    low, high = found["interval"]
    return [
        f"Research changed the mean score by {found['difference']:+.3f} "
        f"({low:+.3f} to {high:+.3f}, 95 %) over {found['scored']} scored tasks."
    ]


def _matched_lines(report: Data) -> list[str]:
    if not report["matched"]:
        return []
    rows = [["solo at matched cost", "samples", "matched by"]]
    rows += [[m["task"], f"{m['samples']}", f"{m['by'] or '—'}"] for m in report["matched"]]
    return [_columns(rows)]


def _columns(rows: list[list[str]]) -> str:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _number(value: float | None, form: str) -> str:
    return "—" if value is None else form.format(value)
