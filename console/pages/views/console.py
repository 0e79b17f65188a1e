"""`/fusion`: ask."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from ...access import is_admin, presets_of, visible
from ...engine.calls.window import tokens_in
from ...engine.provider import Message
from ...fragments.gains import fusing_told
from ...fragments.like import LikeView, like_view
from ...fragments.quoted import quote_view
from ...fragments.spent import StandingView, standing_view
from ...models import OwnPreset, Preset
from ...money.standing import least_left, nearly_spent
from ...services.asked_before import answered_already, questions_like, reuse_minutes
from ...services.attaching import blind, content_of, textual, tokens_of, without
from ...services.build_spec import build, build_and_tell
from ...services.errors import Refused, TermsRefused
from ...services.habits import history
from ...services.lately import presets_used_lately
from ...services.policy import CHOICES
from ...services.presets import presets_enabled
from ...services.project_files import looked_into
from ...services.prompt_starters import STARTERS
from ...services.quote import quote
from ...services.quoted_web import told_of
from ...services.runs import clean_text, run_start
from ...services.site import reference
from ...services.taken import as_if_brought
from ...services.terms import LeftOut
from ...services.web import OFF, is_offered, usual_web
from ...services.wish import CUSTOM
from ..attaching import AttachedBy, attached_as, attached_by
from ..forms import VISIBILITIES, ComposeForm
from ..in_project import InProject
from ..reusing import taken_over
from ..starting import Sent, StartedFrom, chosen, sent_by, start_context
from ..uploads import AttachedUploads, TextFiles
from ..wishes import note, wish_of_form
from .asked_for import filled_by
from .cards import IN_ROW, Card, own_cards, preset_cards, row_and_rest, with_exchanged
from .first import ANSWERS, FILES, PROMPT, WEB, first_context, use_key
from .models import to_choose_from
from .rows import page_of_rows, run_rows

RECENT = 6
NEAR = 3  # budgets that are told of


@csrf_exempt  # looked at below: a form is read by whoever looks, and a file by whom it is known
@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def console(request: HttpRequest) -> HttpResponse:
    request.upload_handlers = [AttachedUploads(request), TextFiles(request)]
    return _console(request)


@csrf_protect
def _console(request: HttpRequest) -> HttpResponse:
    if request.method == "HEAD":
        return HttpResponse()  # pages left open ask whether they may stay
    if "models" in request.GET:
        return to_choose_from(request)
    if request.method != "POST":
        presets, place = presets_enabled(), InProject.of(request)
        own = place.among(presets_of(request.user))
        slugs = [*(p.slug for p in presets), *(p.slug for p in own), CUSTOM]
        filled = filled_by(request, presets, own)
        is_asked_for = any(name in request.GET for name in ("preset", "panel", "of", "run"))
        if not is_asked_for and (slug := place.preset_in(slugs)):
            filled = replace(filled, preset=slug, content=None, prefills=False)
        initial: dict[str, Any] = {"preset": filled.preset, "visibility": "private"}
        initial["client_run_id"] = str(uuid.uuid4())
        # An address that brings a question of its own is asked with nothing of another's.
        kept = {} if filled.prompt else _kept(request)
        initial["reuse_of"] = filled.reuse_of
        initial["prompt"] = kept.get(PROMPT) or filled.prompt
        usual = any(p.slug == filled.preset and usual_web(p) != OFF for p in presets)
        saved = [p.content for p in own if p.slug == filled.preset] or [filled.content or {}]
        usual = usual or bool(saved[0].get("web"))
        initial["web"] = usual if kept.get(WEB) is None else kept[WEB]
        attached = attached_as(kept.get(FILES) or (), _user(request))
        if filled.files and not attached.files:
            attached = replace(attached, files=filled.files)
        written = kept.get(ANSWERS) or ()
        form = ComposeForm(presets=slugs, initial=initial, written=written, filled=filled.content)
        return _page(
            request, form, presets, own, place, told=filled.told, prefills=filled.prefills,
            attached=attached, started=filled.started,
        )  # fmt: skip
    assert request.user.is_authenticated  # login_required has seen to it
    if request.POST.get("api_key"):
        return use_key(request)  # pasted on the first page, whichever button was pressed
    place = InProject.of(request)
    sent = sent_by(request.user, request.POST)
    begins = "start" in request.POST
    told = _begin(request, sent) if begins else ""
    form = ComposeForm(
        sent.data,
        request.FILES,
        presets=[*_offered(request, place, sent.data.get("preset", ""))],
        by=request.user.get_username(),
    )
    if "terms" in request.GET:
        return _terms(request, form)
    if "quote" in request.GET:
        return _quote(request, form, place)
    if "like" in request.GET:
        return _like(request, form, place)
    if "fill" in request.GET:
        form.filled_up()
    if "fill" in request.GET or begins:
        form.unchecked()
        if sent.started:
            sent.started.is_checked = False
        attached = attached_by(request)
        return _page_again(request, form, place, sent, attached, told=told)
    sent.tell(form)
    place.tell(form)
    out: list[LeftOut] = []
    attached = attached_by(request)
    if form.is_valid() and not attached.errors:
        try:
            wish = wish_of_form(form, request.POST, request.user)
            spec, out = build_and_tell(wish)
            if not _has_been_told(form, out):
                return _page_again(request, form, place, sent, attached, 422, left_out=out)
            taken = taken_over(form, request.user, spec, attached.files, place.chosen)
            run = run_start(
                owner=request.user,
                prompt=form.cleaned_data["prompt"],
                spec=spec,
                answers=form.brought,
                visibility=form.cleaned_data["visibility"],
                client_run_id=form.cleaned_data["client_run_id"],
                files=attached.files,
                template=sent.record,
                max_cost=wish.max_cost,
                project=place.chosen,
                taken=taken,
            )
        except Refused as refused:
            note(form, refused)
        else:
            return redirect("run-detail", run_id=run.pk)
    return _page_again(request, form, place, sent, attached, 422)


def _offered(request: HttpRequest, place: InProject, chosen: str) -> Iterator[str]:
    """What a form may choose; of one that chooses no preset, none is looked for."""
    yield CUSTOM
    if chosen != CUSTOM:
        yield from Preset.objects.filter(enabled=True).values_list("slug", flat=True)
        yield from (p.slug for p in place.among(presets_of(request.user)))


def _page_again(
    request: HttpRequest,
    form: ComposeForm,
    place: InProject,
    sent: Sent,
    attached: AttachedBy,
    status: int = 200,
    **told: Any,
) -> HttpResponse:
    """With the form as it was sent."""
    presets, own = presets_enabled(), place.among(presets_of(request.user))
    return _page(
        request, form, presets, own, place, status, attached=attached, started=sent.started, **told
    )


def _begin(request: HttpRequest, sent: Sent) -> str:
    """With what was chosen to start from, and all else as it stands; what could not be had."""
    if (what := request.POST["start"]) == "text":
        sent.started = None
        return ""
    try:
        sent.data = sent.data.copy()
        sent.data["prompt"], sent.started = chosen(request.user, what)
    except Refused as refused:
        return str(refused)
    return ""


def _kept(request: HttpRequest) -> dict[str, Any]:
    """What was being written when a preset was saved or a key pasted: once."""
    return {name: request.session.pop(name, None) for name in (PROMPT, ANSWERS, FILES, WEB)}


def _has_been_told(form: ComposeForm, out: list[LeftOut]) -> bool:
    """Nobody falls away whom the page had not named before *Fuse* was pressed."""
    return {left.key for left in out} <= set(form.cleaned_data["left_out"].split())


def _terms(request: HttpRequest, form: ComposeForm) -> HttpResponse:
    """Who would fall away, and whether enough are left, asked while the form is filled in."""
    out: list[LeftOut] = []
    why_off = ""
    if form.is_valid() or not set(form.errors) - {"prompt"}:
        try:
            wish = wish_of_form(form, request.POST, request.user)
            # Servers are asked for their lists only where it matters.
            out = build_and_tell(wish)[1] if wish.has_terms else []
        except TermsRefused as refused:
            why_off = str(refused)
        except Refused as refused:
            # What else is wrong is said when it is asked.
            why_off = str(refused) if form.asks_terms else ""
    context = {"left_out": out, "why_off": why_off, "oob": True}
    return render(request, "console/compose/_left_out.html", context)


def _quote(request: HttpRequest, form: ComposeForm, place: InProject) -> HttpResponse:
    """What it would cost as it is filled in; nothing where that is not whole yet, or refused: why
    is said when it is asked. How long the prompt is, is told in its place."""
    view, told = None, {}
    if form.is_valid() or not set(form.errors) - {"prompt"}:
        with suppress(Refused):
            spec = build(wish_of_form(form, request.POST, request.user))
            spec = looked_into(spec, place.chosen)
            files = attached_by(request).files
            taken = taken_over(form, _user(request), spec, files, place.chosen)
            spec, texts = as_if_brought(spec, [answer.text for answer in form.brought], taken)
            answers = [tokens_in(text) for text in texts]
            asked = _asked(request) + tokens_of(files)
            asked += tokens_in(place.chosen.context) if place.chosen else 0
            said = quote(spec, asked, history(), answers=answers, reference=reference())
            view = quote_view(said, least_left(_user(request), place.chosen))
            view = replace(view, notes=(*told_of(spec), *view.notes))
            told = {"without": without(spec, files), "blind": blind(spec, files)}
            told["textual"] = textual(spec, files)
    return render(request, "console/compose/_quote.html", {"quote": view, **told})


def _like(request: HttpRequest, form: ComposeForm, place: InProject) -> HttpResponse:
    """Whether the very same was answered a moment ago, or something like it was asked before."""
    person, same = _user(request), None
    prompt = clean_text(request.POST.get("prompt", "")).strip("\n")
    if reuse_minutes(request.POST.get("preset", "")) and form.is_valid() and not form.brought:
        with suppress(Refused):
            spec = build(wish_of_form(form, request.POST, person))
            content = content_of(prompt, attached_by(request).files)
            messages: list[Message] = [{"role": "user", "content": content}]
            same = answered_already(visible(person), spec, messages, place.chosen)
    like = [] if same else like_view(questions_like(person, prompt), person.pk)
    return render(request, "console/compose/_like.html", {"same": same, "like": like})


def _like_beforehand(request: HttpRequest, form: ComposeForm) -> list[LikeView]:
    """Of a prompt that stands there before anybody types: nobody would ask for it."""
    prompt = str(form["prompt"].value() or "") if request.method == "GET" else ""
    person = _user(request)
    return like_view(questions_like(person, prompt), person.pk) if prompt else []


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required has seen to it
    return request.user


def _asked(request: HttpRequest) -> int:
    told = request.POST.get("asked", "")
    if told.isascii() and told.isdecimal() and len(told) < 12:
        return min(int(told), int(settings.MAX_PROMPT_CHARACTERS))
    return tokens_in(request.POST.get("prompt", ""))


def _page(
    request: HttpRequest,
    form: ComposeForm,
    presets: Mapping[Preset, str],
    own: Sequence[OwnPreset],
    place: InProject,
    status: int = 200,
    left_out: Sequence[LeftOut] = (),
    told: str = "",
    attached: AttachedBy | None = None,
    prefills: bool = False,
    started: StartedFrom | None = None,
) -> HttpResponse:
    # What cannot be chosen only stands in the way of what can.
    can_run = [preset for preset, lacks in presets.items() if not lacks]
    cards = preset_cards(can_run, for_admin=is_admin(request.user))
    cards = [with_exchanged(card, form.swaps) for card in [*cards, *own_cards(own)]]
    cards = [replace(card, is_own=card.is_own and card.slug != place.of_another) for card in cards]
    is_long = len(cards) > IN_ROW
    lately = presets_used_lately(request.user) if is_long else []  # type: ignore[arg-type]
    cards, others = row_and_rest(cards, form["preset"].value() or "", lately)
    cards.append(Card(CUSTOM, "Custom", "Your panel, your judge"))
    recent = page_of_rows(request.user, RECENT).runs
    context = {
        "form": form,
        "cards": cards,
        "others": others,
        "told": told,
        "prefills": prefills,
        "hidden": _hidden(presets),
        "hidden_count": len(presets) - len(can_run),
        "none_can_run": bool(presets) and len(cards) == 1,
        "visibilities": VISIBILITIES,
        "some_name_a_project": any(card.project for card in [*cards, *others]),
        "policy": [
            {"choice": c, "is_yes_or_no": c.kind is bool, "value": form.policy_of(c.name)}
            for c in CHOICES
            # What was sent all the same, by a page left open, is not taken away.
            if c.is_for_people or form.policy_of(c.name) not in ("", None)
        ],
        "has_writer": any(card.writer for card in [*cards, *others]),
        "policy_is_chosen": form.has_policy,
        "recent": run_rows(recent),
        "left_out": left_out,
        "brought": fusing_told(),
        "near_budgets": _near_budgets() if is_admin(request.user) else (),
        **(attached.context if attached else {}),
        **place.context,
        "has_web": is_offered(),
        "like": _like_beforehand(request, form),
        "started": started,
    }
    if first := first_context(request, presets, recent):
        chosen = next((c for c in cards if c.slug == form["preset"].value()), None)
        # With the prompt written, all that is missing is who answers it.
        leads = not first["providers_known"] and form.errors.keys() == {"preset"}
        context |= first | {"chosen": chosen, "leads_to_who": leads}
        context["starters"] = () if started else STARTERS
        return render(request, "console/first/first.html", context, status=status)
    context["start"] = start_context(_user(request))
    return render(request, "console/compose/compose.html", context, status=status)


def _near_budgets() -> list[StandingView]:
    """For whoever can raise them."""
    return [standing_view(standing) for standing in nearly_spent()[:NEAR]]


def _hidden(lacks: Mapping[Preset, str]) -> list[tuple[str, str]]:
    """(presets that cannot run, why not), for whoever can do something about it."""
    names: dict[str, list[str]] = {}
    for preset, why in lacks.items():
        if why:
            names.setdefault(why, []).append(preset.name)
    return [(", ".join(of), why) for why, of in names.items()]
