"""`/fusion` for who has asked nothing yet: a finished run to read, and above it the first prompt,
with what is missing to answer it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from ... import access
from ...catalog.seed_data import LOCAL
from ...encryption import CannotDecrypt, decrypt, encrypt
from ...engine.spec_versions import SpecUnreadable
from ...models import Credential, Preset, Run
from ...models.credentials import last_four
from ...providers import kinds
from ...providers.secret import Secret
from ...services.credentials import clean_key
from ...services.errors import Refused
from ...services.first_key import WhoseKey, key_use
from ...services.nearby import awaits_answer
from ...site.sample import sample_remove
from ..forms import ComposeForm
from ..starting import sent_by
from ..uploads import TextFiles
from .runs import run_page, thread

# In the session: what was being written (the prompt, answers from elsewhere, tickets of files, and
# whether the web was to be searched), what came of a key, and a key that was refused, encrypted,
# for another try.
PROMPT, ANSWERS, FILES, WEB = "first_prompt", "first_answers", "first_files", "first_web"
TOLD, PENDING = "first_told", "first_key"


def first_context(
    request: HttpRequest, presets: Mapping[Preset, str], recent: Iterable[Run]
) -> dict[str, Any] | None:
    """What the first page has beside the form; None for who has asked something already, or
    where there is no sample to read. `recent` are the newest runs that are shown otherwise."""
    if any(run.owner_id == request.user.pk for run in recent):
        return None
    sample = _sample_to_read(request)
    if sample is None:
        return None
    try:
        context = run_page(
            sample, socket="", frames="", shown=access.shown_to(request.user, sample)
        )
    except SpecUnreadable:
        return None
    is_admin = access.is_admin(request.user)
    known = [c for c in Credential.objects.all() if c.is_ready and not c.is_local]
    return context | {
        "thread": thread(request, sample),
        "client_run_id": uuid.uuid4(),  # of the follow-up
        "is_admin": is_admin,
        "reader_is_staff": request.user.is_staff,
        # An Ollama that its variable names is offered first, to whoever may say yes.
        "providers_known": any(not (is_admin and awaits_answer(c)) for c in known),
        "built_in": _built_in(presets),
        "admins": [a.get_username() for a in User.objects.filter(is_staff=True, is_active=True)],
        "key_givers": kinds.KEY_GIVERS,
        "key": request.session.pop(TOLD, {}),
        "kept_key": request.session.get(PENDING, {}),
    }


def _sample_to_read(request: HttpRequest) -> Run | None:
    if Run.objects.filter(owner=request.user.pk).exists():
        return None
    return access.samples_visible_to(request.user).order_by("created_at").first()


def _built_in(presets: Mapping[Preset, str]) -> str:
    """The slug of the preset of the tiny model on this machine, where it can be asked."""
    can_run = (preset.slug for preset, lacks in presets.items() if not lacks)
    return next((slug for slug in can_run if slug == LOCAL), "")


def keep_written(request: HttpRequest) -> None:
    """What was being written stands there again when the page comes back."""
    form = ComposeForm(request.POST, request.FILES, presets=[])
    request.session[PROMPT] = sent_by(request.user, request.POST).data.get("prompt", "")
    request.session[ANSWERS] = form.written()
    request.session[FILES] = request.POST.getlist("attached")[: settings.RUN_FILES]
    request.session[WEB] = "web" in request.POST if "web_shown" in request.POST else None


@csrf_exempt  # looked at below, as in console.py
@require_POST
@never_cache
@login_required
def key(request: HttpRequest) -> HttpResponse:
    request.upload_handlers = [TextFiles(request)]
    return use_key(request)


@sensitive_post_parameters("api_key")
@csrf_protect
def use_key(request: HttpRequest) -> HttpResponse:
    """*Paste a key*, then back to the prompt, which is as it was."""
    keep_written(request)
    told = _use_key(request)
    if _sample_to_read(request):
        request.session[TOLD] = told
    elif "ok" in told:  # meanwhile something was asked, in another tab
        messages.success(request, told["ok"])
    else:
        messages.error(request, told["error"])
    return redirect("console")


def _use_key(request: HttpRequest) -> dict[str, Any]:
    if not access.is_admin(request.user):
        return {"error": "Only admins can add a provider key."}
    giver = request.POST.get("giver", "")
    try:
        pasted = clean_key(request.POST.get("api_key", "")[:2000]) or _kept(request)
        if not pasted:
            return {"error": "Paste the key."}
        tried = key_use(key=pasted, giver=giver)
    except WhoseKey as refused:
        _keep(request, pasted)
        return {"error": str(refused), "asks_whose": True}
    except Refused as refused:
        return {"error": str(refused)}
    if not tried.result.ok:
        _keep(request, pasted)
        return {"error": tried.sentence, "asks_whose": True, "giver": tried.giver.slug}
    request.session.pop(PENDING, None)
    return {"ok": tried.sentence}


def _keep(request: HttpRequest, key: Secret) -> None:
    request.session[PENDING] = {"token": encrypt(key), "last_four": last_four(key)}


def _kept(request: HttpRequest) -> Secret:
    try:
        return decrypt(request.session[PENDING]["token"])
    except (KeyError, CannotDecrypt):
        return Secret("")


@require_POST
@login_required
def sample_away(request: HttpRequest) -> HttpResponse:
    """*Remove the sample*, for everybody and for good."""
    if access.is_admin(request.user):
        sample_remove()
    return redirect("console")
