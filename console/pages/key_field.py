"""Where a key is pasted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from ..providers.secret import Secret
from ..services.credentials import clean_key
from ..services.errors import Refused


class KeyField(forms.CharField):
    """A key as pasted. It goes in and never comes out: the field is always empty."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(
            label="API key",
            required=False,
            strip=False,
            max_length=2000,
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"} | attrs),
        )

    def clean(self, value: Any) -> Secret:
        try:
            return clean_key(super().clean(value))
        except Refused as e:
            raise ValidationError(str(e)) from None
