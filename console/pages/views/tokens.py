"""The page where people make and revoke their own API tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from ... import access
from ...models import ApiToken
from ...models.terms import TERMS
from ...models.tokens import Scope
from ...money.amounts import nano, plain
from ...services.errors import Refused
from ...services.token_defaults import NOTHING_SAID, TokenDefaults, preset_choices, project_choices
from ...services.tokens import DEFAULT_DAYS, token_create, token_revoke
from ...site.public_url import public_url
from ..forms import VISIBILITIES
from ..snippets import snippets
from .fragment import page_or_main

DEFAULTS = ("preset", "project", "visibility", "every_turn", "cancel_on_disconnect")


class TokenForm(forms.Form):
    name = forms.CharField(max_length=60, help_text="What you will know it by.")
    scopes = forms.MultipleChoiceField(
        label="May",
        choices=Scope.choices,
        initial=list(Scope.values),
        widget=forms.CheckboxSelectMultiple,
    )
    expires_days = forms.TypedChoiceField(
        label="Expires",
        choices=[("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year"), ("0", "never")],
        initial=str(DEFAULT_DAYS),
        coerce=int,
    )
    requests_per_minute = forms.IntegerField(
        min_value=1, max_value=100_000, required=False, initial=120, help_text="Empty: no limit."
    )
    concurrent_runs = forms.IntegerField(
        label="Runs at once",
        min_value=1,
        max_value=10_000,
        required=False,
        initial=20,
        help_text="Empty: no limit.",
    )
    spending_per_day = forms.DecimalField(
        label="US dollars per day",
        min_value=0,
        max_digits=12,
        decimal_places=4,
        required=False,
        help_text="Empty: no limit.",
    )
    spending_per_run = forms.DecimalField(
        label="US dollars per run",
        min_value=0,
        max_digits=12,
        decimal_places=4,
        required=False,
        help_text="Empty: what is usual.",
    )
    preset = forms.ChoiceField(required=False)
    project = forms.ChoiceField(required=False)
    visibility = forms.ChoiceField(
        label="Who may read its runs", choices=VISIBILITIES, required=False
    )
    every_turn = forms.BooleanField(
        label="A panel with every turn of an agent, not once for what somebody said",
        required=False,
    )
    cancel_on_disconnect = forms.BooleanField(
        label="Stop a run when its client goes away", required=False
    )
    zero_retention = forms.BooleanField(required=False)
    no_training = forms.BooleanField(required=False)
    only_local = forms.BooleanField(label="Only on this machine", required=False)
    only_providers = forms.CharField(
        max_length=500,
        required=False,
        help_text="As OpenRouter names them: azure, openai. Empty: any.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        preset = self.fields["preset"]
        assert isinstance(preset, forms.ChoiceField)
        preset.choices = preset_choices()  # looked up once, however often they are gone through
        project = self.fields["project"]
        assert isinstance(project, forms.ChoiceField)
        self.has_projects = len(found := project_choices()) > 1
        project.choices = found

    @property
    def has_defaults(self) -> bool:
        """Somebody has filled them in: they are shown open."""
        return any(self.data.get(name) for name in DEFAULTS) or bool(
            set(DEFAULTS) & set(self.errors)
        )

    @property
    def terms(self) -> list[forms.BoundField]:
        return [self[name] for name in TERMS if name != "only_providers"]


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def tokens(request: HttpRequest) -> HttpResponse:
    owner = request.user
    assert isinstance(owner, User)
    form = TokenForm(request.POST or None)
    made, secret = None, ""
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = token_create(owner=owner, **_limits(form.cleaned_data))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            form = TokenForm()
    now = timezone.now()
    base_url = public_url("/v1", request)
    rows = [(token, token.is_usable(now), _defaults(token)) for token in access.tokens_of(owner)]
    context = {
        "form": form,
        "made": made,
        # Shown on this page alone: it is kept nowhere.
        "secret": secret,
        "snippets": snippets(base_url=base_url, token=secret, scopes=made.scopes) if made else [],
        "rows": rows,
        "base_url": base_url,
    }
    return page_or_main(request, "tokens", context)


def _defaults(token: ApiToken) -> list[str]:
    """In words."""
    said = TokenDefaults.of(token.defaults).words
    limit = token.spending_per_run
    return said if limit is None else [*said, f"a run at most {plain(nano(limit))}"]


@never_cache
@require_POST
@login_required
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    token = access.token_owned_by(request.user, token_id)
    token_revoke(token=token)
    messages.success(request, f"{token.name} is revoked.")
    return redirect("tokens")


def _limits(data: dict[str, Any]) -> dict[str, Any]:
    data = dict(data)
    days = data.pop("expires_days")
    defaults = TokenDefaults(
        preset=data.pop("preset"),
        project=data.pop("project"),
        visibility=data.pop("visibility") or NOTHING_SAID.visibility,
        fanout="every" if data.pop("every_turn") else "once",
        cancel_on_disconnect=data.pop("cancel_on_disconnect"),
    )
    data |= {"defaults": defaults}
    return data | {"expires_at": timezone.now() + timedelta(days=days) if days else None}
