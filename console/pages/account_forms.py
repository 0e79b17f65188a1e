"""The forms of accounts: who signs in, with what password, in our own words.

Django's forms stand behind them with all their checks; what they say to people is theirs no
longer: its sentences name what is stored and validated, not what one has to do.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, UserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from ..site import attempts

_NAME = "Letters and digits of any language, and the signs . _ - + @, without spaces."
_NEW_PASSWORD = (
    "At least ten characters; a few words are best. Not one that everybody uses, nor your name."
)
# By the names that Django's forms give their fields.
_HELP = {
    "username": _NAME,
    "password": "Nobody can read it, here or in the database; it can be replaced.",
    "password1": _NEW_PASSWORD,
    "new_password1": _NEW_PASSWORD,
    "password2": "",
    "new_password2": "",
}
_LABELS = {
    "password2": "The same password again",
    "new_password2": "The same password again",
    "old_password": "Present password",
}
_AUTOCOMPLETE = {"username": "username", "password1": "new-password", "password2": "new-password"}


class InOurWords(forms.BaseForm):
    """To be named first among the bases of a form of accounts."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.help_text = _HELP.get(name, field.help_text)
            field.label = _LABELS.get(name, field.label)
            if name in _AUTOCOMPLETE:
                field.widget.attrs["autocomplete"] = _AUTOCOMPLETE[name]
        if username := self.fields.get("username"):
            username.error_messages |= {
                "unique": "Somebody has that name already. Choose another.",
                "invalid": f"That name cannot be used. {_NAME}",
            }

    def validate_password_for_user(
        self, user: User, password_field_name: str = "password2"
    ) -> None:
        """What is wrong with a password stands where it was typed, not where it was repeated."""
        first = password_field_name.replace("2", "1")
        super().validate_password_for_user(user, password_field_name=first)  # type: ignore[misc]


class LimitedForm:
    """Of a form with a password: how often one may be tried, and how many at a time. Where it is
    too often, `retry_after` says for how long."""

    retry_after = 0

    def limited(self, too_many: attempts.TooMany) -> ValidationError:
        self.retry_after = too_many.seconds
        return ValidationError(str(too_many), "limited")

    def in_reply(self, response: HttpResponse) -> HttpResponse:
        if self.retry_after:
            response.status_code = 429
            response["Retry-After"] = str(self.retry_after)
        return response


def address_of(request: HttpRequest | None) -> str:
    return str(request.META.get("REMOTE_ADDR", "")) if request else ""


class SignInForm(LimitedForm, AuthenticationForm):
    error_messages = {
        "invalid_login": "That username and password do not match an account.",
        "inactive": "That username and password do not match an account.",
    }

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username")
        if not (name and self.cleaned_data.get("password")):
            return super().clean()  # nothing was tried: neither a failure nor a success
        address = address_of(self.request)
        try:
            attempts.begin(address=address, name=name)
            with attempts.place_to_hash():
                cleaned = super().clean()
        except attempts.TooMany as too_many:
            raise self.limited(too_many) from None
        attempts.succeeded(address=address, name=name)
        return cleaned


class PasswordForm(LimitedForm, InOurWords, PasswordChangeForm):
    address = ""

    error_messages = PasswordChangeForm.error_messages | {
        "password_incorrect": "That is not your present password.",
    }

    def clean_old_password(self) -> str:
        """Guessing it here is guessing it: it counts as at sign-in."""
        name = self.user.get_username()
        try:
            attempts.begin(address=self.address, name=name)
            with attempts.place_to_hash():
                password = super().clean_old_password()
        except attempts.TooMany as too_many:
            raise self.limited(too_many) from None
        attempts.succeeded(address=self.address, name=name)
        return password

    def save(self, commit: bool = True) -> Any:
        with attempts.place_to_hash():
            return super().save(commit)


class ClaimForm(LimitedForm, InOurWords, UserCreationForm[User]):
    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username",)
