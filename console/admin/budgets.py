"""Budgets of people, tokens, projects and the whole site: set here, kept before every call
(`money/`)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import CharField, OuterRef, Subquery
from django.db.models.functions import Cast
from django.http import HttpRequest

from ..models import ApiToken, Project, Purse
from ..models.money import DAY, MONTH, PERSON, PROJECT, SITE, TOKEN
from ..money import words
from ..money.amounts import about, dollars, nano
from ..money.purses import with_windows

KINDS = [
    (SITE, "This site"),
    (PROJECT, "A project"),
    (PERSON, "A person"),
    (TOKEN, "A token"),
]
PERIODS = [(DAY, "a day"), (MONTH, "a month")]


class BudgetForm(forms.ModelForm[Purse]):
    kind = forms.ChoiceField(label="Of", choices=KINDS)
    person = forms.ModelChoiceField(User.objects.order_by("username"), required=False)
    token = forms.ModelChoiceField(ApiToken.objects.filter(revoked_at=None), required=False)
    project = forms.ModelChoiceField(Project.objects.all(), required=False)
    period = forms.ChoiceField(label="For", choices=PERIODS)
    limit = forms.DecimalField(
        label="US dollars", min_value=0, max_digits=14, decimal_places=6, max_value=10**8
    )

    class Meta:
        model = Purse
        fields = ["kind", "person", "token", "project", "period", "limit"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["limit"] = self.instance.limit
            for name in ("kind", "person", "token", "project", "period"):
                self.fields.pop(name, None)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.instance.pk or "kind" not in data:
            return data
        kind = data["kind"]
        owner = data.get(kind) if kind != SITE else None
        if kind != SITE and owner is None:
            raise forms.ValidationError({kind: "Choose whose budget it is."})
        self.instance.kind = kind
        self.instance.subject = str(owner.pk) if owner else ""
        self.instance.period = data.get("period", "")
        same = Purse.objects.filter(
            kind=kind, subject=self.instance.subject, period=self.instance.period
        )
        if same.exists():
            raise forms.ValidationError("There is such a budget already: change that one.")
        return data

    def save(self, commit: bool = True) -> Purse:
        self.instance.limit_nano = nano(self.cleaned_data["limit"])
        return super().save(commit)


@admin.register(Purse)
class BudgetAdmin(admin.ModelAdmin[Purse]):
    form = BudgetForm
    list_display = ["whose", "period", "dollars", "spent", "held", "state"]
    list_filter = ["kind", "period"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """A run's own was said when it was started, and ends with it."""
        asked = super().get_queryset(request).filter(kind__in=dict(KINDS))
        return with_windows(asked).annotate(
            person=_named(User, "username"),
            token=_named(ApiToken, "name"),
            project=_named(Project, "name"),
        )

    def get_fields(self, request: HttpRequest, obj: Purse | None = None) -> Any:
        return ["limit"] if obj else ["kind", "person", "token", "project", "period", "limit"]

    @admin.display(description="of")
    def whose(self, purse: Any) -> str:
        if purse.kind == SITE:
            return "this site"
        owner = {PERSON: purse.person, PROJECT: purse.project}.get(purse.kind, purse.token)
        return owner or "somebody who is gone"

    @admin.display(description="US dollars")
    def dollars(self, purse: Purse) -> str:
        return f"{dollars(purse.limit_nano).normalize():f}"

    @admin.display(description="spent")
    def spent(self, purse: Any) -> str:
        return about(_spent(purse))

    @admin.display(description="held for calls under way")
    def held(self, purse: Any) -> str:
        return about(sum(window.held_nano for window in purse.current))

    @admin.display(description="state")
    def state(self, purse: Any) -> str:
        return words.state(purse.limit_nano, _spent(purse)) or "–"


def _spent(purse: Any) -> int:
    return sum(window.spent_nano for window in purse.current)


def _named(model: Any, name: str) -> Subquery:
    """Of a budget's owner; a subject is text, since it may be any kind's."""
    owners = model.objects.annotate(subject=Cast("pk", CharField()))
    return Subquery(owners.filter(subject=OuterRef("subject")).values(name)[:1])
