"""The forms of accounts: who signs in, with what password, in our own words.

Django's forms stand behind them with all their checks; what they say to people is theirs no
longer: its sentences name what is stored and validated, not what one has to do.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, UserCreationForm
from django.contrib.auth.models import User
from django.core.cache import caches
from django.core.exceptions import ValidationError

ATTEMPTS_ALLOWED = 10
ATTEMPTS_REMEMBERED = 10 * 60  # seconds

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


class SignInForm(AuthenticationForm):
    """After ten failures a name is not tried any further from that address."""

    error_messages = {
        "invalid_login": "That username and password do not match an account.",
        "inactive": "That username and password do not match an account.",
    }

    def clean(self) -> dict[str, Any]:
        if not (self.cleaned_data.get("username") and self.cleaned_data.get("password")):
            return super().clean()  # nothing was tried: neither a failure nor a success
        key, cache = self._key(), caches["attempts"]
        # Counted before the password is looked at, so that many at once gain nothing.
        cache.add(key, 0, ATTEMPTS_REMEMBERED)
        try:
            attempts = cache.incr(key)
        except ValueError:
            attempts = 1  # forgotten between the two lines
        if attempts > ATTEMPTS_ALLOWED:
            raise ValidationError("Too many attempts. Wait ten minutes and try again.", "limited")
        cleaned = super().clean()
        cache.delete(key)
        return cleaned

    def _key(self) -> str:
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        name = self.cleaned_data.get("username", "").casefold()
        return "sign-in:" + hashlib.sha256(f"{address}\n{name}".encode()).hexdigest()


class PasswordForm(InOurWords, PasswordChangeForm):
    error_messages = PasswordChangeForm.error_messages | {
        "password_incorrect": "That is not your present password.",
    }


class ClaimForm(InOurWords, UserCreationForm[User]):
    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username",)
