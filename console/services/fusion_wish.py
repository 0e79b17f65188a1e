"""What another fusion of a run is to be: as before, or with who and what was named instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User

from ..access import presets_of
from ..engine.findings.ruling import has_rulings, has_words
from ..engine.spec import NOBODY, Panelist, Spec
from ..engine.state import CallState, FusionState, RunState
from ..engine.terms import NobodyLeft
from ..models import Preset
from .build_spec import build
from .errors import Refused
from .own_presets import own_wish
from .presets import preset_wish, usual_wish
from .rulings import PLAIN, ReaderWish, ruled_on
from .wish import Who, Wish, is_named


def begins_from(state: RunState, wish: ReaderWish) -> FusionState | None:
    """The fusion that another one starts from, whose judge, writer, criteria and seats it has;
    None: it is made as the run was to be. Raises Refused."""
    inherits = bool(state.fusion and has_rulings(state.fusion.wish))
    return ruled_on(state, wish) if wish != PLAIN or inherits else None


def fusion_wish(
    spec: Spec,
    *,
    judge: Who = "",
    synthesizer: Who = "",
    criteria: str = "",
    preset: str = "",
    person: User | None = None,
    base: FusionState | None = None,
) -> Wish:
    """What a run's answers would be fused with again: as before, or as in the fusion `base`, or
    as with the preset, the site's or one of that person's own, but for what is given. Raises
    Refused."""
    whole = _as_before(spec, base)
    if preset:
        other = _preset_wish(preset, person)
        try:
            terms = spec.terms.and_also(other.terms)
        except NobodyLeft as nobody:
            raise Refused(str(nobody)) from None
        whole = replace(other, panel=spec.panel, kept_policy=spec.policy, terms=terms, limits={})
    if is_named(judge):
        whole = replace(whole, judge=judge, judge_fallback="", judge_effort="")
    elif whole.judge == NOBODY:
        whole = _with_usual_judge(whole)
    if is_named(synthesizer):
        whole = replace(whole, synthesizer=synthesizer, synthesizer_fallback="")
    return replace(whole, criteria=criteria.strip() or whole.criteria)


def _as_before(spec: Spec, base: FusionState | None) -> Wish:
    begun = base if base and base.judge else None
    judge = Panelist.from_dict(begun.judge) if begun else spec.judge
    writer = Panelist.from_dict(begun.synthesizer) if begun else spec.synthesizer
    if spec.synthesizer is None and writer == judge:
        writer = None  # whoever judges writes, also where another is named
    return Wish(
        panel=spec.panel,
        judge=judge,
        synthesizer=writer or "",
        criteria=begun.criteria if begun else spec.criteria,
        kept_policy=spec.policy,
        terms=spec.terms,
    )


def _with_usual_judge(whole: Wish) -> Wish:
    """Of a run that nobody was to judge."""
    usual = usual_wish()
    if usual is None:
        raise Refused(
            "No model can judge these answers yet. Name a judge, or have an admin add a provider "
            "key."
        )
    try:
        terms = whole.terms.and_also(usual.terms)
    except NobodyLeft as nobody:
        raise Refused(str(nobody)) from None
    return replace(usual, panel=whole.panel, kept_policy=whole.kept_policy, terms=terms, limits={})


def judged_as_usual(spec: Spec) -> Spec | None:
    """What it would be fused with, for who is told so beforehand; None: nobody can judge yet."""
    if spec.has_judge:
        return spec
    try:
        again = build(fusion_wish(spec))
    except Refused:
        return None
    return replace(spec, judge=again.judge, synthesizer=again.synthesizer)


def _preset_wish(name: str, person: User | None) -> Wish:
    own = presets_of(person).filter(slug=name).first() if person else None
    return own_wish(own) if own else preset_wish(_preset(name))


def _preset(name: str) -> Preset:
    preset = Preset.objects.filter(slug=name).first()
    if preset is None:
        raise Refused(f"There is no preset “{name[:60]}”.")
    if not preset.enabled:
        raise Refused(f"{preset.name} is switched off.")
    return preset


def copied(base: FusionState, again: Spec, answers: Mapping[int, CallState]) -> dict[str, Any]:
    """Of the fusion ruled on all that its judge found, where the same judge would compare the
    same answers by the same criteria again; else nothing."""
    is_judged = base.analysis is not None or len(base.judged) == 1
    judged = {call.key for call in answers.values()} == set(base.judged)
    judge = base.judge.get("model"), base.judge.get("credential")
    same = (again.judge.model, again.judge.credential) == judge
    if not (is_judged and judged and same and again.criteria == base.criteria):
        return {}
    return {
        "judged": base.judged,
        "analysis": base.analysis,
        "analysis_by": base.analysis_by,
        "analysis_reason": base.analysis_reason,
        "analysis_error": base.analysis_error,
    }


def called(again: Spec, asked: Mapping[str, Any], *, is_judged: bool) -> list[Panelist]:
    """Whom this fusion will ask. Who is too small is asked only for what words cannot do."""
    way = asked.get("way", "fuse")
    asks = []
    if not is_judged and way != "vote" and again.judge.can_judge:
        asks.append(again.judge)
    is_written = way == "fuse" and not asked.get("analysis_only")
    if is_written and (again.writer.can_judge or has_words(asked)):
        asks.append(again.writer)
    return asks
