"""`/fusion/presets`: what members save for themselves, and offer to the team."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from ... import access
from ...models import OwnPreset, Preset
from ...services import preset_versions
from ...services.errors import Refused
from ...services.offering import kept_offer
from ...services.own_presets import (
    own_preset_delete,
    own_preset_save,
    own_preset_take,
    preset_from_offer,
)
from ...services.panel_content import Content, content_of, wish_of
from ...services.policy import CHOICES
from ...services.web import OFF, is_offered
from ...services.wish import CUSTOM, Wish
from ..forms import ComposeForm
from ..preset_form import OwnPresetForm
from ..wishes import note, preset_wish_for, wish_of_form
from .asked_for import of_run
from .cards import Card, own_cards
from .first import keep_written


@never_cache
@require_http_methods(["GET"])
@login_required
def list(request: HttpRequest) -> HttpResponse:
    own = [*access.presets_of(request.user)]
    offered = [*access.presets_offered_to(request.user)]
    context = {
        "own": _rows(own),
        "offered": _rows(offered),
        "site": Preset.objects.filter(enabled=True),
    }
    return render(request, "console/presets/presets.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Filled by what is asked for: a run's panel, a preset's, or the compose form as it stands."""
    if request.method != "POST":
        try:
            name, content = _asked_for(request)
        except Refused as refused:
            messages.warning(request, str(refused))
            return redirect("preset-list")
        return _form_page(request, _unsaved(name, content), None)
    if "save" in request.POST:
        keep_written(request)  # the prompt is there again when the page is
        name, content = _of_compose(request)
        return _form_page(request, _unsaved(name, content), None, of=request.POST["save"])
    return _save(request, None)


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    preset = access.preset_owned_by(request.user, slug)
    if request.method == "POST":
        return _save(request, preset)
    form = _unsaved(preset.name, preset.content, preset.description)
    form.initial["project"] = preset.project.slug if preset.project else ""
    return _form_page(request, form, preset)


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    preset = access.preset_owned_by(request.user, slug)
    if request.method == "POST":
        own_preset_delete(preset=preset)
        messages.success(request, f"{preset.name} is deleted.")
        return redirect("preset-list")
    return render(request, "console/presets/delete.html", {"preset": preset})


@never_cache
@require_POST
@login_required
def offer(request: HttpRequest, slug: str) -> HttpResponse:
    preset = access.preset_owned_by(request.user, slug)
    is_offered = request.POST.get("offered") == "yes"
    kept_offer(kept=preset, is_offered=is_offered)
    done = "is offered to the team now." if is_offered else "is yours alone again."
    messages.success(request, f"{preset.name} {done}")
    return redirect("preset-list")


@never_cache
@require_POST
@login_required
def copy(request: HttpRequest, slug: str) -> HttpResponse:
    """Of what is offered: to one's own, or by an admin to the site's."""
    assert isinstance(request.user, User)
    preset = access.preset_offered_to(request.user, slug)
    to_site = request.POST.get("to") == "site"
    if to_site and not access.is_admin(request.user):
        raise Http404("No such page.")
    try:
        if to_site:
            preset_from_offer(preset=preset, by=request.user)
        else:
            own_preset_take(preset=preset, by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        whose = "one of the site's presets" if to_site else "one of yours"
        messages.success(request, f"A copy of {preset.name} is {whose} now.")
    return redirect("preset-list")


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def versions(request: HttpRequest, slug: str) -> HttpResponse:
    """Who changed what, and one step back: of one's own, of the site's for admins."""
    assert isinstance(request.user, User)
    preset = _versioned(request, slug)
    may_go_back = isinstance(preset, OwnPreset) or access.is_admin(request.user)
    if request.method == "POST":
        if not may_go_back:
            raise Http404("No such page.")
        number = request.POST.get("number", "")
        try:
            number_now = preset_versions.version_back(
                preset=preset,
                number=int(number) if _is_number(number) else 0,
                by=request.user,
            )
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            done = f"{preset.name} is as it was in version {number}; that is version {number_now}."
            messages.success(request, done)
        return redirect("preset-versions", slug)
    context = {
        "preset": preset,
        "versions": preset_versions.versions(preset),
        "may_go_back": may_go_back,
    }
    return render(request, "console/presets/versions.html", context)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _versioned(request: HttpRequest, slug: str) -> Preset | OwnPreset:
    site = Preset.objects.filter(slug=slug).first()
    if site is not None and (site.enabled or access.is_admin(request.user)):
        return site
    return access.preset_owned_by(request.user, slug)


def _rows(presets: Sequence[OwnPreset]) -> Sequence[tuple[OwnPreset, Card]]:
    return [*zip(presets, own_cards(presets), strict=True)]


def _asked_for(request: HttpRequest) -> tuple[str, Content]:
    """(a name to begin with, what it holds). Raises Refused."""
    if text := request.GET.get("run"):
        return "", of_run(request.user, text)
    if slug := request.GET.get("of"):
        wish = preset_wish_for(slug, request.user)
        return wish.preset_name, content_of(wish)
    return "", {}


def _of_compose(request: HttpRequest) -> tuple[str, Content]:
    """The compose form as it stands, as far as it can be read; what is wrong is said on saving."""
    slug = request.POST.get("save", "")
    posted = request.POST.copy()
    posted["preset"] = slug
    posted.setlist("answer-text", [])
    form = ComposeForm(posted, presets=[slug, CUSTOM])
    form.is_valid()
    for name, field in form.fields.items():
        form.cleaned_data.setdefault(
            name, field.empty_value if hasattr(field, "empty_value") else ""
        )
    try:
        wish = wish_of_form(form, posted, request.user)
        return (wish.preset_name.removesuffix(", changed") if slug != CUSTOM else ""), content_of(
            wish
        )
    except Refused:
        return "", {}


def _unsaved(name: str, content: Content, description: str = "") -> OwnPresetForm:
    return OwnPresetForm(filled=content, initial={"name": name, "description": description})


def _save(request: HttpRequest, preset: OwnPreset | None) -> HttpResponse:
    assert isinstance(request.user, User)
    form = OwnPresetForm(request.POST)
    if form.is_valid():
        try:
            saved = own_preset_save(
                owner=request.user,
                name=form.cleaned_data["name"],
                description=form.cleaned_data["description"],
                wish=_wish(form, request, preset),
                preset=preset,
                project=access.projects_of(request.user)
                .filter(slug=form.cleaned_data["project"])
                .first(),
            )
        except Refused as refused:
            note(form, refused)
        else:
            messages.success(request, f"{saved.name} is saved.")
            if preset is not None:
                return redirect("preset-list")
            # A card that was changed is as it was: the change is saved.
            asked = urlencode({"preset": saved.slug, "saved": request.POST.get("of", "")[:60]})
            return redirect(f"{reverse('console')}?{asked}")
    return _form_page(request, form, preset, status=422, of=request.POST.get("of", ""))


def _wish(form: OwnPresetForm, request: HttpRequest, preset: OwnPreset | None) -> Wish:
    """What no field shows of a preset stays as it was."""
    wish = wish_of_form(form, request.POST, request.user)
    budget = form.cleaned_data["run_budget"]
    claims = {"claims": True} if form.cleaned_data["web_claims"] else {}
    wish = replace(
        wish,
        usual_web=form.cleaned_data["web_way"] or OFF,
        web_limits=claims,
        max_cost=None if budget is None else Decimal(str(budget)),
        reuse_minutes=form.cleaned_data["reuse_minutes"],
    )
    if preset is None:
        return wish
    shown = {choice.name for choice in CHOICES if choice.is_for_people}
    before = wish_of(preset.content)
    kept = {name: value for name, value in before.limits.items() if name not in shown}
    kept.pop("wait_for", None)
    web = {name: value for name, value in before.web_limits.items() if name != "claims"}
    return replace(wish, limits=kept, web_limits=web | claims)


def _form_page(
    request: HttpRequest,
    form: OwnPresetForm,
    preset: OwnPreset | None,
    status: int = 200,
    of: str = "",
) -> HttpResponse:
    """`of`: the preset whose card was changed to it."""
    context = {
        "of": of,
        "form": form,
        "preset": preset,
        "policy": [
            {"choice": c, "is_yes_or_no": c.kind is bool, "value": form.policy_of(c.name)}
            for c in CHOICES
            if c.is_for_people
        ],
        "has_web": is_offered(),
        "has_writer": False,
        "policy_is_chosen": form.has_policy,
        "projects": access.projects_of(request.user).defer("context"),
    }
    return render(request, "console/presets/edit.html", context, status=status)
