"""Rows -> document."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from ...engine.state import CallState, FusionState, RunState
from ...models import Run, Verdict
from ...models.shown import ALL, Shown
from ...providers.wire.citations import is_page
from ..rows import state_from_rows
from . import withheld
from .shape import (
    MAX_VERDICTS,
    CallShape,
    Document,
    FusionShape,
    RunShape,
    TemplateShape,
    UsageShape,
    VerdictShape,
)
from .unknown import put_back


class Unfinished(ValueError):
    """A run that still changes is not written down whole."""


class Unwritable(ValueError):
    """A row holds what the form has no place for, such as one of a version before it."""


def write(
    runs: Sequence[Run],
    shown: Callable[[Run], Shown] = lambda run: ALL,
    its_own: Mapping[uuid.UUID, Mapping[str, Any]] = MappingProxyType({}),
) -> Document:
    """Of a run and of what goes on from it, each after the one it follows. What an earlier one
    was that is not among them, its messages say. `shown`: what its reader is shown of each;
    `its_own`: what further fields say of one to this reader.
    Raises Unfinished and Unwritable."""
    places = {run.pk: place for place, run in enumerate(runs)}
    try:
        return Document(
            runs=[_run(run, places, shown(run), its_own.get(run.pk, {})) for run in runs]
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise Unwritable(f"This run cannot be written down: {place}: {first['msg']}.") from None


def to_json(document: Document, kept: Sequence[Run] = ()) -> str:
    """What is empty or usual is not in it. In one order, since PostgreSQL keeps none. With what
    the runs in `kept`, which are all of them, have kept that this version does not know."""
    data: dict[str, Any] = document.model_dump(mode="json", exclude_defaults=True)
    data["v"] = document.v
    for run, shape in zip(kept, data["runs"], strict=False):
        put_back(shape, (run.imported or {}).get("unknown", []))
        put_back(data, (run.imported or {}).get("whole", []))
    return json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _run(run: Run, places: dict[Any, int], shown: Shown, its_own: Mapping[str, Any]) -> RunShape:
    if not run.is_final:
        raise Unfinished("The run is still under way: when it has ended it can be taken along.")
    state = state_from_rows(run)
    own = {f.name: getattr(state, f.name) for f in fields(RunState)}
    calls = (withheld.call_for(call, shown) for call in state.calls.values())
    fusions = (withheld.fusion_for(fusion, shown) for fusion in state.fusions.values())
    own |= {"calls": [*map(_call, calls)], "fusions": [*map(_fusion, fusions)]}
    before = places.get(run.follows_id)
    own["research"] = withheld.research_for(state.research, shown)
    own |= withheld.asked_for(run, shown, before_is_there=before is not None)
    verdicts = run.verdicts.all()[:MAX_VERDICTS] if shown.people else ()
    return RunShape(
        prompt=run.prompt,
        context=run.context,
        preset=run.preset,
        preset_name=run.preset_name,
        created_at=run.asked_at,
        spec=withheld.spec_for(run.spec, shown),
        follows=before,
        follows_from=run.follows_from,
        verdicts=[*map(_verdict, verdicts)],
        template=_template(run) if shown.prompt else None,
        **its_own,
        **own,
    )


def _template(run: Run) -> TemplateShape | None:
    """Where it is kept, a template's key means nothing elsewhere."""
    kept = run.template
    if not kept:
        return None
    return TemplateShape(name=kept["name"], version=kept["version"], values=kept["values"])


def _verdict(verdict: Verdict) -> VerdictShape:
    return VerdictShape(
        best=verdict.best,
        note=verdict.note,
        answers=verdict.answers,
        seen=verdict.seen,
        at=verdict.changed_at.timestamp(),
    )


def _call(call: CallState) -> CallShape:
    values = {f.name: getattr(call, f.name) for f in fields(CallState)}
    values["usage"] = UsageShape(**call.usage.to_dict())
    # Rows from before they were checked may have others, which no page leads to either.
    values["citations"] = [one for one in call.citations if is_page(one["url"], str)]
    values["goes_on"] = {"back": {}} if call.goes_on else {}
    return CallShape(**values)


def _fusion(fusion: FusionState) -> Any:
    return FusionShape(**{f.name: getattr(fusion, f.name) for f in fields(FusionState)})
