"""The page where an admin pastes a provider key: tried first, then saved."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from ...access import is_admin
from ...encryption import CannotDecrypt, decrypt, encrypt
from ...models import Credential
from ...models.credentials import last_four, origin
from ...providers import kinds
from ...providers.registry import normalise_base_url
from ...providers.secret import Secret
from ...services.credentials import credential_add, credential_for, credential_try
from ...services.errors import Refused
from ...services.first_key import credential_of, giver_address
from ..key_field import KeyField
from .fragment import page_or_main

PENDING = "pending_key"


def _choices() -> list[tuple[str, str]]:
    """Whoever gives out keys, then the kinds whose servers stand at an address of their own."""
    kinds_of_homes = {kind.slug: kind.label for kind in kinds.offered() if kind.has_home}
    givers = {giver.slug: giver.name for giver in kinds.KEY_GIVERS}
    others = {kind.slug: kind.label for kind in kinds.offered() if not kind.has_home}
    return [*(givers | kinds_of_homes | others).items()]


class KeyForm(forms.Form):
    kind = forms.ChoiceField(label="Provider", choices=_choices)
    name = forms.CharField(max_length=80, required=False)
    base_url = forms.CharField(label="Base URL", max_length=300, required=False)
    api_key = KeyField()

    def __init__(self, *args: Any, pending: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pending = pending
        self.fields["kind"].error_messages["invalid_choice"] = kinds.unknown("%(value)s")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = cleaned.get("kind", "")
        kind, giver = kinds.KINDS.get(chosen), kinds.giver_named(chosen)
        # Whatever stands in fields that are not shown for it.
        if kind and kind.home:
            cleaned["base_url"], cleaned["name"] = kinds.usual_address(kind.home), kind.home.name
        elif giver:
            cleaned["base_url"], cleaned["name"] = giver_address(giver), giver.name
        try:
            cleaned["base_url"] = normalise_base_url(cleaned.get("base_url", ""))
        except ValueError as e:
            self.add_error("base_url", str(e))
            return cleaned
        cleaned["name"] = cleaned.get("name") or urlsplit(cleaned["base_url"]).hostname
        if "api_key" in cleaned and not cleaned["api_key"]:
            cleaned["api_key"] = self._kept_key(cleaned["base_url"])
            if (giver or (kind and kind.needs_key)) and not cleaned["api_key"]:
                self.add_error("api_key", "Paste the key.")
        return cleaned

    def _kept_key(self, base_url: str) -> Secret:
        """The key of the try before, when it was for the same address."""
        if self._pending.get("origin") != origin(base_url):
            return Secret("")
        try:
            return decrypt(self._pending["token"])
        except (CannotDecrypt, ImproperlyConfigured):
            return Secret("")


@never_cache
@sensitive_post_parameters("api_key")
@require_http_methods(["GET", "POST"])
@login_required
def keys(request: HttpRequest) -> HttpResponse:
    if not is_admin(request.user):
        admins = User.objects.filter(is_staff=True, is_active=True).order_by("username")
        names = [a.get_username() for a in admins]
        return render(request, "console/keys/keys.html", {"admins": names}, status=403)
    if request.method == "GET":
        request.session.pop(PENDING, None)
    pending = request.session.get(PENDING, {})
    form = KeyForm(request.POST or None, pending=pending)
    failure = ""
    if request.method == "POST" and form.is_valid():
        failure = _try_and_save(request, form.cleaned_data)
        if not failure:
            return redirect("keys")
    pending = request.session.get(PENDING, {})
    context = {
        "form": form,
        "is_admin": True,
        "with_address": {k.slug: k.label for k in kinds.offered() if not k.has_home},
        "credentials": Credential.objects.all(),
        "failure": failure,
        "kept_key": pending.get("last_four", ""),
        "has_kept_key": bool(pending),
    }
    return page_or_main(request, "keys", context)


def _try_and_save(request: HttpRequest, data: dict[str, Any]) -> str:
    """Why it was not saved, or ""."""
    key: Secret = data["api_key"]
    try:
        if giver := kinds.giver_named(data["kind"]):
            credential = credential_of(giver, key)
        else:
            credential = credential_for(
                kind=data["kind"], name=data["name"], base_url=data["base_url"], key=key
            )
    except Refused as e:
        return str(e)
    result = credential_try(credential)
    at = ""
    if result.base_url:
        credential.base_url = result.base_url
        at = f" with the address {result.base_url}, where it answers"
    if not result.ok and "save_anyway" not in request.POST:
        if key:
            # Kept for the next try, encrypted: a page never shows a key again.
            request.session[PENDING] = {
                "token": encrypt(key),
                "origin": origin(data["base_url"]),
                "last_four": last_four(key),
            }
        return result.sentence
    credential_add(credential=credential, result=result)
    request.session.pop(PENDING, None)
    if result.ok:
        messages.success(request, f"{credential.name} is saved{at}. {result.sentence}")
    else:
        messages.warning(request, f"{credential.name} is saved, untested. {result.sentence}")
    return ""
