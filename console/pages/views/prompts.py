"""`/fusion/prompts`: templates of prompts, one's own and those that are offered to the team."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from ... import access
from ...models import PromptTemplate
from ...services.errors import Refused
from ...services.offering import kept_offer
from ...services.prompt_starters import STARTERS
from ...services.prompts import prompt_delete, prompt_save, starter_of


class PromptForm(forms.Form):
    """What is wrong with it, its service says."""

    name = forms.CharField(required=False)
    description = forms.CharField(required=False)
    text = forms.CharField(required=False, strip=False)


@never_cache
@require_http_methods(["GET"])
@login_required
def list(request: HttpRequest) -> HttpResponse:
    prompts = [*access.prompts_of(request.user)]
    context = {
        "own": [p for p in prompts if p.owner_id == request.user.pk],
        "offered": [p for p in prompts if p.owner_id != request.user.pk],
        "starters": STARTERS,
        "is_admin": access.is_admin(request.user),
    }
    return render(request, "console/prompts/prompts.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Empty, or a copy of what is asked for."""
    if request.method == "POST":
        return _save(request, None)
    initial = _copied(request, request.GET["of"]) if "of" in request.GET else {}
    return _form_page(request, PromptForm(initial=initial), None)


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def edit(request: HttpRequest, prompt_id: int) -> HttpResponse:
    prompt = access.prompt_editable_by(request.user, prompt_id)
    if request.method == "POST":
        return _save(request, prompt)
    initial = {"name": prompt.name, "description": prompt.description, "text": prompt.text}
    return _form_page(request, PromptForm(initial=initial), prompt)


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def delete(request: HttpRequest, prompt_id: int) -> HttpResponse:
    prompt = access.prompt_editable_by(request.user, prompt_id)
    if request.method == "POST":
        prompt_delete(template=prompt)
        messages.success(request, f"{prompt.name} is deleted.")
        return redirect("prompt-list")
    return render(request, "console/prompts/delete.html", {"prompt": prompt})


@never_cache
@require_POST
@login_required
def offer(request: HttpRequest, prompt_id: int) -> HttpResponse:
    """An admin may only take back what is another's: it is not theirs to show."""
    prompt = access.prompt_editable_by(request.user, prompt_id)
    is_offered = request.POST.get("offered") == "yes"
    kept_offer(kept=prompt, is_offered=is_offered)
    is_own = prompt.owner_id == request.user.pk
    alone = "is yours alone again" if is_own else f"is {prompt.owner.get_username()}’s alone again"
    done = "is offered to the team now" if is_offered else alone
    messages.success(request, f"{prompt.name} {done}.")
    return redirect("prompt-list")


def _copied(request: HttpRequest, key: str) -> dict[str, str]:
    if starter := starter_of(key):
        return {"name": starter.name, "description": starter.description, "text": starter.text}
    if not (key.isascii() and key.isdecimal() and len(key) < 12):
        raise Http404("No such template.")
    prompt = access.prompt_of(request.user, int(key))
    return {"name": prompt.name, "description": prompt.description, "text": prompt.text}


def _save(request: HttpRequest, prompt: PromptTemplate | None) -> HttpResponse:
    assert isinstance(request.user, User)
    form = PromptForm(request.POST)
    if form.is_valid():
        try:
            saved = prompt_save(by=request.user, template=prompt, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("prompt-list")
    return _form_page(request, form, prompt, status=422)


def _form_page(
    request: HttpRequest, form: PromptForm, prompt: PromptTemplate | None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "prompt": prompt, "doubled": "{{place}}"}
    return render(request, "console/prompts/edit.html", context, status=status)
