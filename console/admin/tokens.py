"""API tokens of everybody: made, limited, revoked; never deleted and never shown again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from ..models import ApiToken
from ..models.terms import TERMS
from ..models.tokens import Scope
from ..services.errors import Refused
from ..services.token_defaults import (
    NOTHING_SAID,
    TokenDefaults,
    checked,
    preset_choices,
    project_choices,
)
from ..services.tokens import token_budget, token_create, token_defaults, token_revoke


class TokenAdminForm(forms.ModelForm[ApiToken]):
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, initial=list(Scope.values), widget=forms.CheckboxSelectMultiple
    )
    spending_per_day = forms.DecimalField(
        label="US dollars per day",
        min_value=0,
        max_digits=12,
        decimal_places=4,
        required=False,
        help_text="Its budget: what its calls may cost is held before they go out. Empty: none.",
    )
    spending_per_run = forms.DecimalField(
        label="US dollars per run",
        min_value=0,
        max_digits=12,
        decimal_places=4,
        required=False,
        help_text="The most that a run may cost, whatever a request says. Empty: what is usual.",
    )
    preset = forms.ChoiceField(
        choices=preset_choices, required=False, help_text="Where a request says none."
    )
    project = forms.ChoiceField(
        choices=project_choices, required=False, help_text="Where a request says none."
    )
    visibility = forms.ChoiceField(
        choices=[("private", "Only its owner"), ("team", "Everyone on the team")],
        required=False,
        help_text="Who may read its runs, where a request says nothing.",
    )
    fanout = forms.ChoiceField(
        choices=[("once", "A panel once for what somebody said"), ("every", "With every turn")],
        required=False,
        help_text="Of an agent's turns, where a request says nothing.",
    )
    cancel_on_disconnect = forms.BooleanField(
        required=False, help_text="Stop a run when its client goes, where a request says nothing."
    )

    class Meta:
        model = ApiToken
        fields = [
            "owner",
            "name",
            "scopes",
            "expires_at",
            "requests_per_minute",
            "concurrent_runs",
            *TERMS,
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["spending_per_day"] = self.instance.spending_per_day
            self.initial["spending_per_run"] = self.instance.spending_per_run
            self.initial.update(asdict(TokenDefaults.of(self.instance.defaults)))

    @property
    def defaults(self) -> TokenDefaults:
        data = self.cleaned_data
        return TokenDefaults(
            preset=data["preset"],
            project=data["project"],
            visibility=data["visibility"] or NOTHING_SAID.visibility,
            fanout=data["fanout"] or NOTHING_SAID.fanout,
            cancel_on_disconnect=data["cancel_on_disconnect"],
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            try:
                checked(self.defaults)
            except Refused as refused:
                self.add_error("preset", str(refused))
        return data

    def clean_owner(self) -> Any:
        owner = self.cleaned_data["owner"]
        if not owner.is_active:
            raise forms.ValidationError("This account is deactivated.")
        return owner


@admin.register(ApiToken)
class TokenAdmin(admin.ModelAdmin[ApiToken]):
    form = TokenAdminForm
    list_display = ["name", "prefix", "owner", "last_used_at", "expires_at", "revoked_at"]
    list_filter = ["revoked_at", "expires_at"]
    search_fields = ["name", "prefix", "owner__username"]
    list_select_related = ["owner"]
    readonly_fields = ["prefix", "last_used_at", "revoked_at", "created_at"]
    actions = ["revoke"]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        return [*self.readonly_fields, "owner"] if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            token_budget(token=obj, spending_per_day=form.cleaned_data["spending_per_day"])
            token_defaults(
                token=obj,
                defaults=form.defaults,
                spending_per_run=form.cleaned_data["spending_per_run"],
            )
            return
        named = [*TokenAdminForm.Meta.fields, "spending_per_day", "spending_per_run"]
        data = {k: v for k, v in form.cleaned_data.items() if k in named}
        made, secret = token_create(**data, defaults=form.defaults)
        obj.pk = made.pk
        obj.refresh_from_db()
        messages.warning(request, f"Copy the token now, it is not shown again: {secret}")

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Revoking ends its use and keeps what its runs are known by."""
        return False

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        for token in chosen:
            token_revoke(token=token)
        self.message_user(request, "Revoked, from the next request on.")
