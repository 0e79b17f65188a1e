"""Of which runs, and in which form, something is taken along."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from django.db.models import QuerySet
from django.utils.text import slugify

from ..files.portable import put_in
from ..models import Run
from ..models.shown import Shown
from ..record.changed_since import earlier
from ..record.order import orders_of
from ..record.portable import Unfinished, to_json, write
from ..record.portable.shape import MAX_RUNS
from .account import account
from .as_html import html
from .as_markdown import markdown
from .parts import Account

Form = Literal["json", "md", "html"]
FORMS: tuple[Form, ...] = get_args(Form)
_TYPES: dict[Form, str] = {
    "json": "application/json; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
}


@dataclass(frozen=True)
class Export:
    """A file: its name, what kind it is, what is in it."""

    name: str
    type: str
    body: bytes


def export_runs(
    runs: Sequence[Run],
    form: Form,
    shown: Callable[[Run], Shown],
    readable: QuerySet[Run] | None = None,
    reader_id: int | None = None,
) -> Export:
    """`shown`: what its reader is shown of each; `readable`: where the run is looked for whose
    question is asked again. Raises Unfinished and SpecUnreadable."""
    if not all(run.is_final for run in runs):
        raise Unfinished("The run is still under way: when it has ended it can be taken along.")
    before = [earlier(run, readable) if readable is not None else None for run in runs]

    def accounts() -> list[Account]:
        return [account(run, shown(run), one) for run, one in zip(runs, before, strict=True)]

    def its_own() -> dict[uuid.UUID, dict[str, Any]]:
        kept = orders_of([run.pk for run in runs], reader_id)
        return {
            run.pk: {"again_of": str(one.pk) if one else None, "archived": kept[run.pk].is_archived}
            for run, one in zip(runs, before, strict=True)
        }

    match form:
        case "json":
            # What nobody here knows may be anything: it is shown to its owner alone.
            sees_all = all(shown(run).inner for run in runs)
            document = write(runs, shown, its_own())
            put_in(document)
            text = to_json(document, kept=runs if sees_all else ())
        case "md":
            text = markdown(accounts())
        case "html":
            text = html(accounts())
    name = slugify(runs[0].prompt[:200])[:60].strip("-") or "run"
    return Export(f"{name}.{form}", _TYPES[form], text.encode())


def ended_in_thread(run: Run, readable: QuerySet[Run]) -> list[Run]:
    """The run, what it goes on from and all that goes on from that, as far as it may be read and
    has ended; each after the one it follows, at most as many as a document holds."""
    chain = [run]
    while len(chain) < MAX_RUNS and chain[0].follows_id:
        before = readable.filter(pk=chain[0].follows_id).first()
        if before is None or not before.is_final:
            break
        chain.insert(0, before)
    depth = {one.pk: place for place, one in enumerate(chain)}
    thread, latest = [*chain], {*depth}
    while latest and len(thread) < MAX_RUNS:
        after = readable.filter(follows__in=latest).exclude(pk__in=depth).order_by("created_at")
        found = [one for one in after[: MAX_RUNS - len(thread)] if one.is_final]
        depth |= {one.pk: depth[one.follows_id] + 1 for one in found if one.follows_id}
        thread += found
        latest = {one.pk for one in found}
    return sorted(thread, key=lambda one: (depth[one.pk], one.created_at))
