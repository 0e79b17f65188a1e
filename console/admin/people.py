"""People are members or admins; there are no finer permissions to set."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from django.contrib.auth.models import Group, User
from django.http import HttpRequest

from ..pages.account_forms import InOurWords
from ..services.people import is_last_admin

admin.site.unregister([User, Group])


class _AdminField(forms.ModelForm[User]):
    is_admin = forms.BooleanField(
        label="Admin", required=False, help_text="May change presets, keys and people."
    )

    def save(self, commit: bool = True) -> User:
        self.instance.is_staff = self.instance.is_superuser = self.cleaned_data["is_admin"]
        return super().save(commit)


class AddPersonForm(InOurWords, _AdminField, UserCreationForm[User]):
    pass


class PersonForm(InOurWords, _AdminField, UserChangeForm[User]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["is_admin"].initial = self.instance.is_staff
        self.fields["is_active"].help_text = "Switch it off to end somebody's access."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        stays = cleaned.get("is_admin") and cleaned.get("is_active")
        if not stays and is_last_admin(self.instance):
            raise forms.ValidationError(
                "This is the last active admin: make somebody else an admin first."
            )
        return cleaned


class NewPasswordForm(InOurWords, AdminPasswordChangeForm):  # type: ignore[type-arg]  # a name for the checker only
    """Without the switch for signing in by other means: there are none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("usable_password", None)
        for name in ("password1", "password2"):
            self.fields[name].required = True


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    form = PersonForm
    add_form = AddPersonForm
    change_password_form = NewPasswordForm
    list_display = ["username", "email", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_active"]
    search_fields = ["username", "email"]
    filter_horizontal = []
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "email", "password", "is_active", "is_admin"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "email", "password1", "password2", "is_admin"]}),
    ]

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Runs would go with the person; deactivating ends the access and keeps them."""
        return False
