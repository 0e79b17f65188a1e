"""`/fusion`: ask."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from ...access import is_admin
from ...catalog.fitness import Finding
from ...catalog.judging import who_can_judge
from ...catalog.listings import all_models
from ...catalog.offers import names_of, offers_as_json
from ...engine.calls.window import tokens_in
from ...engine.findings.families import Kin, kin, one_family
from ...engine.spec import MAX_SEATS, Panelist, letter, short_name
from ...engine.terms import NobodyLeft
from ...fragments.quoted import quote_view
from ...fragments.spent import StandingView, standing_view
from ...models import Preset
from ...money.standing import nearly_spent
from ...providers.kinds import BUILT_IN
from ...services.attaching import tokens_of, without
from ...services.brought import TooFewOrMany
from ...services.build_spec import CUSTOM, Wish, build, build_and_tell, judge_writes
from ...services.errors import NameRefused, Refused, TermsRefused, WaitForRefused
from ...services.habits import history
from ...services.lately import models_used_lately
from ...services.places import NewerModel, newer_models
from ...services.policy import CHOICES
from ...services.preset_checks import preset_findings
from ...services.presets import default_preset_slug, filled_wish, presets_enabled
from ...services.quote import quote
from ...services.runs import run_start
from ...services.terms import LeftOut
from ...services.wait_for import read_wait_for
from ..attaching import AttachedBy, attached_by
from ..forms import VISIBILITIES, ComposeForm
from ..uploads import Attachments, TextFiles
from .first import ANSWERS, PROMPT, first_context, use_key
from .rows import page_of_rows, run_rows

RECENT = 6
PREFILLED = 3
NEAR = 3  # budgets that are told of
CHOSEN_FOR_ONE_RUN = ("wait_for", "judge_writes", *(f"policy-{c.name}" for c in CHOICES))
JUDGING = ("judge", "synthesizer", "judge_fallback", "synthesizer_fallback")


@csrf_exempt  # looked at below: a form is read by whoever looks, and a file by whom it is known
@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def console(request: HttpRequest) -> HttpResponse:
    request.upload_handlers = [Attachments(request), TextFiles(request)]
    return _console(request)


@csrf_protect
def _console(request: HttpRequest) -> HttpResponse:
    if request.method == "HEAD":
        return HttpResponse()  # pages left open ask whether they may stay
    if "models" in request.GET:
        return _models(request)
    if request.method != "POST":
        presets = presets_enabled()
        slugs = [*(p.slug for p in presets), CUSTOM]
        chosen = default_preset_slug(presets)
        initial = {"client_run_id": str(uuid.uuid4()), "preset": chosen, "visibility": "private"}
        initial["prompt"] = request.session.pop(PROMPT, "")
        written = request.session.pop(ANSWERS, ())
        form = ComposeForm(presets=slugs, initial=initial, written=written)
        return _page(request, form, presets)
    assert request.user.is_authenticated  # login_required has seen to it
    if request.POST.get("api_key"):
        return use_key(request)  # pasted on the first page, whichever button was pressed
    enabled = Preset.objects.filter(enabled=True).values_list("slug", flat=True)
    form = ComposeForm(
        request.POST,
        request.FILES,
        presets=[*enabled, CUSTOM],
        by=request.user.get_username(),
    )
    if "terms" in request.GET:
        return _terms(request, form)
    if "quote" in request.GET:
        return _quote(request, form)
    out: list[LeftOut] = []
    attached = attached_by(request)
    if form.is_valid() and not attached.errors:
        try:
            spec, out = build_and_tell(_wish(form, request.POST))
            if not _has_been_told(form, out):
                return _page(request, form, presets_enabled(), 422, out, attached)
            run = run_start(
                owner=request.user,
                prompt=form.cleaned_data["prompt"],
                spec=spec,
                answers=form.brought,
                visibility=form.cleaned_data["visibility"],
                client_run_id=form.cleaned_data["client_run_id"],
                files=attached.files,
            )
        except Refused as refused:
            _note(form, refused)
        else:
            return redirect("run-detail", run_id=run.pk)
    return _page(request, form, presets_enabled(), 422, attached=attached)


def _wish(form: ComposeForm, posted: QueryDict) -> Wish:
    wish = replace(_panel_wish(form), answers=form.brought)
    if form.is_without_models:
        wish = replace(wish, panel=())
    try:
        terms = wish.terms.and_also(form.terms)
    except NobodyLeft as nobody:
        raise Refused(str(nobody)) from None
    return replace(
        wish,
        terms=terms,
        leaves_out=True,
        policy={c.name: posted.get(f"policy-{c.name}", "") for c in CHOICES},
        wait_for=read_wait_for(form.cleaned_data["wait_for"]),
        stop_after="panel" if form.cleaned_data["stop_after_panel"] else "",
    )


def _has_been_told(form: ComposeForm, out: list[LeftOut]) -> bool:
    """Nobody falls away whom the page had not named before *Fuse* was pressed."""
    return {left.key for left in out} <= set(form.cleaned_data["left_out"].split())


def _terms(request: HttpRequest, form: ComposeForm) -> HttpResponse:
    """Who would fall away, and whether enough are left, asked while the form is filled in."""
    out: list[LeftOut] = []
    why_off = ""
    if form.is_valid() or not set(form.errors) - {"prompt"}:
        try:
            wish = _wish(form, request.POST)
            # Servers are asked for their lists only where it matters.
            out = build_and_tell(wish)[1] if wish.has_terms else []
        except TermsRefused as refused:
            why_off = str(refused)
        except Refused as refused:
            # What else is wrong is said when it is asked.
            why_off = str(refused) if form.asks_terms else ""
    context = {"left_out": out, "why_off": why_off, "oob": True}
    return render(request, "console/compose/_left_out.html", context)


def _quote(request: HttpRequest, form: ComposeForm) -> HttpResponse:
    """What it would cost as it is filled in; nothing where that is not whole yet, or refused: why
    is said when it is asked. How long the prompt is, is told in its place."""
    view = None
    if form.is_valid() or not set(form.errors) - {"prompt"}:
        with suppress(Refused):
            answers = [tokens_in(answer.text) for answer in form.brought]
            spec = build(_wish(form, request.POST))
            files = attached_by(request).files
            asked = _asked(request) + tokens_of(files)
            view = quote_view(quote(spec, asked, history(), answers=answers))
            view = replace(view, notes=(*without(spec, files), *view.notes))
    return render(request, "console/compose/_quote.html", {"quote": view})


def _asked(request: HttpRequest) -> int:
    told = request.POST.get("asked", "")
    if told.isascii() and told.isdecimal() and len(told) < 12:
        return min(int(told), int(settings.MAX_PROMPT_CHARACTERS))
    return tokens_in(request.POST.get("prompt", ""))


def _panel_wish(form: ComposeForm) -> Wish:
    data = form.cleaned_data
    if data["preset"] == CUSTOM:
        panel = [row.named for row in form.named_seats]
        return Wish(panel=panel, **{name: data[name] for name in JUDGING})
    # Nothing is read of those that were not chosen.
    chosen = [*presets_enabled(data["preset"]).items()]
    if not chosen:
        raise Refused("This preset has just been switched off.")
    [(preset, lacks)] = chosen
    if lacks:
        raise Refused(lacks)
    wish = filled_wish(preset)
    return judge_writes(wish) if data["judge_writes"] else wish


def _note(form: ComposeForm, refused: Refused) -> None:
    """Where it was filled in."""
    if isinstance(refused, TooFewOrMany):
        form.answers_error = str(refused)
        return
    if isinstance(refused, WaitForRefused):
        form.add_error("wait_for", str(refused))
        return
    if form.cleaned_data.get("preset") != CUSTOM:
        form.add_error("preset", str(refused))
    elif not isinstance(refused, NameRefused):
        form.add_error("panel", str(refused))
    else:
        for one in (refused, *refused.also):
            _note_name(form, one)


def _note_name(form: ComposeForm, refused: NameRefused) -> None:
    if refused.seat is None:
        form.add_error(refused.field, str(refused))
        form.near[refused.field] = refused.near
    elif refused.field == "fallback":
        row = form.named_seats[refused.seat]
        row.options.add_error("fallback_model", str(refused))
        form.point_at_options(row)
    else:
        form.point_at_name(form.named_seats[refused.seat], str(refused), refused.near)


@dataclass(frozen=True)
class Card:
    slug: str
    name: str
    description: str
    pk: int = 0
    seats: tuple[dict[str, Any], ...] = ()
    judge: str = ""
    writer: str = ""  # where another one than the judge writes
    kin: tuple[Kin, ...] = ()
    newer: tuple[NewerModel, ...] = ()
    # What is wrong with whom it names, for whoever can mend it.
    findings: tuple[Finding, ...] = ()


def _page(
    request: HttpRequest,
    form: ComposeForm,
    presets: Mapping[Preset, str],
    status: int = 200,
    left_out: Sequence[LeftOut] = (),
    attached: AttachedBy | None = None,
) -> HttpResponse:
    # What cannot be chosen only stands in the way of what can.
    can_run = [preset for preset, lacks in presets.items() if not lacks]
    cards = preset_cards(can_run, for_admin=is_admin(request.user))
    cards.append(Card(CUSTOM, "Custom", "Your panel, your judge"))
    recent = page_of_rows(request.user, RECENT).runs
    context = {
        "form": form,
        "cards": cards,
        "hidden": _hidden(presets),
        "hidden_count": len(presets) - len(can_run),
        "none_can_run": bool(presets) and len(cards) == 1,
        "visibilities": VISIBILITIES,
        "policy": [
            {
                "choice": c,
                "is_yes_or_no": c.kind is bool,
                "value": form.data.get(f"policy-{c.name}", ""),
            }
            for c in CHOICES
            # What was sent all the same, by a page left open, is not taken away.
            if c.is_for_people or form.data.get(f"policy-{c.name}")
        ],
        "has_writer": any(card.writer for card in cards),
        "policy_is_chosen": any(form.data.get(name) for name in CHOSEN_FOR_ONE_RUN),
        "recent": run_rows(recent),
        "left_out": left_out,
        "near_budgets": _near_budgets() if is_admin(request.user) else (),
        **(attached.context if attached else {}),
    }
    if first := first_context(request, presets, recent):
        chosen = next((c for c in cards if c.slug == form["preset"].value()), None)
        # With the prompt written, all that is missing is who answers it.
        leads = not first["providers_known"] and form.errors.keys() == {"preset"}
        context |= first | {"chosen": chosen, "leads_to_who": leads}
        return render(request, "console/first/first.html", context, status=status)
    return render(request, "console/compose/compose.html", context, status=status)


def _near_budgets() -> list[StandingView]:
    """For whoever can raise them."""
    return [standing_view(standing) for standing in nearly_spent()[:NEAR]]


def preset_cards(presets: list[Preset], *, for_admin: bool) -> list[Card]:
    """What is wrong with a preset, or could be newer, is shown to who can do something about it."""
    found = preset_findings(presets) if for_admin else {}
    newer = newer_models(*presets) if for_admin else {}
    can_judge = who_can_judge((preset.judge_credential, preset.judge_model) for preset in presets)
    return [
        _card(
            preset,
            (preset.judge_credential_id, preset.judge_model) in can_judge,
            found.get(preset, ()),
            newer.get(preset, ()),
        )
        for preset in presets
    ]


def _card(
    preset: Preset, can_judge: bool, found: Sequence[Finding], newer: Sequence[NewerModel]
) -> Card:
    panelists = list(preset.panelists.all())[:MAX_SEATS]
    seats = tuple(
        {
            "seat": i,
            "letter": letter(i),
            "model": p.model,
            "name": short_name(p.model),
            "label": p.label,
        }
        for i, p in enumerate(panelists)
    )
    return Card(
        slug=preset.slug,
        name=preset.name,
        description=preset.description,
        pk=preset.pk,
        seats=seats,
        judge=short_name(preset.judge_model) if can_judge else "",
        writer=short_name(preset.writer_model) if preset.has_writer else "",
        kin=tuple(_kin(preset, can_judge)),
        newer=tuple(newer),
        findings=tuple(found),
    )


def _hidden(lacks: Mapping[Preset, str]) -> list[tuple[str, str]]:
    """(presets that cannot run, why not), for whoever can do something about it."""
    names: dict[str, list[str]] = {}
    for preset, why in lacks.items():
        if why:
            names.setdefault(why, []).append(preset.name)
    return [(", ".join(of), why) for why, of in names.items()]


def _kin(preset: Preset, can_judge: bool) -> list[Kin]:
    """By their names: a preset that lacks a key has them too."""
    panel = [Panelist(p.model, "") for p in preset.panelists.all()][:MAX_SEATS]
    judge = Panelist(preset.judge_model, "", judges=can_judge)
    writer = Panelist(preset.writer_model, "") if preset.has_writer else judge
    alike = one_family(panel)
    return [*([alike] if alike else ()), *kin(panel, judge, writer)]


def _models(request: HttpRequest) -> HttpResponse:
    """The lists of every provider, asked for apart so that a slow one never delays the page."""
    assert request.user.is_authenticated  # login_required has seen to it
    models, errors = all_models()
    names = names_of(models)
    # The built-in model is a demonstration: it is offered, but never put forward.
    forward = [n for n, m in zip(names, models, strict=True) if m.credential_slug != BUILT_IN.slug]
    at = {(m.credential_slug, m.model): n for n, m in zip(names, models, strict=True)}
    context = {
        "count": len(names),
        "offers": offers_as_json(models),
        "used": [at[used] for used in models_used_lately(request.user) if used in at],
        "errors": errors,
        "prefill": (forward or names)[:PREFILLED],
    }
    return render(request, "console/compose/_models.html", context)
