from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.html import format_html_join
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from ..models import Credential, ModelTrait, traits_known
from ..pages.key_field import KeyField
from ..providers import kinds
from ..providers.registry import normalise_base_url
from ..services.credentials import credential_test, forget_test, would_lose_key

# What nobody can ask a server, and whoever has the key knows.
PROMISED = ("zero_retention", "no_training", "own_machine")


LEARNED = (
    "What they were found not to take, or to do in their own way. It is believed for a week, at "
    "this address; the list of credentials can have it forgotten sooner."
)


class CredentialForm(forms.ModelForm[Credential]):
    """The key goes in and never comes out: the field is always empty."""

    api_key = KeyField(size=60)
    forget_key = forms.BooleanField(label="Forget the stored key", required=False)

    class Meta:
        model = Credential
        fields = ["name", "slug", "kind", "base_url", "enabled", "max_concurrent", *PROMISED]
        labels = {"max_concurrent": "Calls at a time"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if _is_given(self.instance):
            # Declared fields stay in a form whatever the page leaves out.
            del self.fields["api_key"], self.fields["forget_key"]
        if "kind" in self.fields:
            self.fields["kind"] = self._kind_field()
        if "api_key" in self.fields and self.instance.secret:
            ends = self.instance.last_four
            shown = f"ends in {ends}" if ends else "a key is stored"
            self.fields["api_key"].widget.attrs["placeholder"] = shown
            self.fields["api_key"].help_text = "Empty leaves the stored key as it is."

    def _kind_field(self) -> forms.ChoiceField:
        """What is stored stands among the choices even where nobody would be offered it."""
        choices, stored = kinds.choices(), self.instance.kind
        if stored and stored not in dict(choices):
            known = self.instance.known_kind
            choices.append((stored, known.label if known else stored))
        field = forms.ChoiceField(choices=choices)
        field.error_messages["invalid_choice"] = kinds.unknown("%(value)s")
        return field

    def clean_base_url(self) -> str:
        text = self.cleaned_data["base_url"]
        try:
            return normalise_base_url(text) if text else ""
        except ValueError as e:
            raise ValidationError(str(e)) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        base_url, key = cleaned.get("base_url"), cleaned.get("api_key")
        if "base_url" not in self.fields or base_url is None:
            return cleaned
        if not base_url and (self.instance.pk is None or key):
            self.add_error("base_url", "Where is the server? As in https://api.example.com/v1.")
        elif would_lose_key(self.instance, base_url) and not key and not cleaned["forget_key"]:
            host = urlsplit(self.instance.secret_origin).netloc
            self.add_error(
                "api_key",
                f"The stored key was entered for {host} and is not sent anywhere else. "
                "Enter the key for the new address, or have the stored one forgotten.",
            )
        return cleaned

    def save(self, commit: bool = True) -> Credential:
        if {"kind", "base_url", "api_key", "forget_key"} & set(self.changed_data):
            forget_test(self.instance)
        if self.cleaned_data.get("api_key"):
            self.instance.secret = self.cleaned_data["api_key"]
            self.instance.secret_origin = ""
        elif self.cleaned_data.get("forget_key"):
            self.instance.secret = ""
        return super().save(commit)


def _promises(credential: Credential | None) -> Any:
    """Where a kind leads to one home, on whatever machine that is, nothing is this machine."""
    kind = credential.known_kind if credential else None
    named = [name for name in PROMISED if name != "own_machine" or not (kind and kind.home)]
    says = "What people may ask of data handling and get from here."
    return ("What it promises", {"fields": named, "description": says})


def _is_given(credential: Credential) -> bool:
    """Address and key are not an admin's to enter."""
    return credential.from_environment or credential.is_local


@admin.register(Credential)
@method_decorator(sensitive_post_parameters("api_key"), name="changeform_view")
class CredentialAdmin(admin.ModelAdmin[Credential]):
    form = CredentialForm
    list_display = ["name", "slug", "address", "key_state", "enabled", "state", "test_result"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    actions = ["test_keys", "forget_traits"]
    change_form_template = "admin/console/credential/change_form.html"
    readonly_fields = [
        "address", "key_state", "state", "tested_at", "test_ok", "test_result", "learned",
    ]  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: Credential | None = None) -> Any:
        if obj is None:
            entry = ["kind", "base_url", "api_key"]
            return [
                (None, {"fields": ["name", "slug", *entry, "enabled", "max_concurrent"]}),
                _promises(None),
            ]
        if _is_given(obj):
            entry = ["address", "key_state"]
        else:
            entry = ["kind", "base_url", "api_key"] + (["forget_key"] if obj.secret else [])
        return [
            (None, {"fields": ["name", "slug", *entry, "enabled", "max_concurrent", "state"]}),
            *([] if obj.is_local else [_promises(obj)]),
            ("Last test", {"fields": ["tested_at", "test_ok", "test_result"]}),
            ("Its models", {"fields": ["learned"], "description": LEARNED}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Credential | None = None) -> Any:
        # Presets and the environment know a built-in one by its slug and kind.
        fixed = ["slug", "kind"] if obj and obj.environment else []
        return [*self.readonly_fields, *fixed]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Credential | None = None) -> Any:
        return {} if obj else self.prepopulated_fields

    def has_delete_permission(self, request: HttpRequest, obj: Credential | None = None) -> bool:
        """A built-in one belongs to the environment. So no deletion in bulk either."""
        return bool(obj and not obj.environment) and super().has_delete_permission(request, obj)

    @admin.display(description="address")
    def address(self, credential: Credential) -> str:
        return credential.url or "—"

    @admin.display(description="key")
    def key_state(self, credential: Credential) -> str:
        return credential.key_state

    @admin.display(description="state")
    def state(self, credential: Credential) -> str:
        return credential.lacks or "Ready"

    @admin.display(description="learned")
    def learned(self, credential: Credential) -> str:
        known = traits_known(credential)[credential.pk]
        traits = [f"{model}: {name} {value}" for model, name, value in known]
        return format_html_join("", "{}<br>", ([trait] for trait in sorted(traits))) or "—"

    @admin.action(description="Forget what was learned of its models")
    def forget_traits(self, request: HttpRequest, credentials: QuerySet[Credential]) -> None:
        count, _ = ModelTrait.objects.filter(credential__in=credentials).delete()
        messages.success(request, f"{count} trait{'' if count == 1 else 's'} forgotten.")

    @admin.action(description="Test this key")
    def test_keys(self, request: HttpRequest, credentials: QuerySet[Credential]) -> None:
        for credential in credentials:
            _test(request, credential)

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.test_view))
        return [path("<int:pk>/test/", test, name="console_credential_test"), *super().get_urls()]

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        _test(request, get_object_or_404(Credential, pk=pk))
        return redirect("admin:console_credential_change", pk)


def _test(request: HttpRequest, credential: Credential) -> None:
    result = credential_test(credential=credential)
    say = messages.success if result.ok else messages.error
    # What a credential lacks already begins with its name.
    named = result.sentence.startswith(credential.name)
    say(request, result.sentence if named else f"{credential.name}: {result.sentence}")
