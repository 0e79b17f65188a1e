"""Secrets at rest: one field, encrypted with MultiFernet.

`FUSION_ENCRYPTION_KEYS` lists the keys, the first one encrypts, all decrypt,
so a key is rotated by putting a new one in front and running
`manage.py rotate_keys`. A value that cannot be decrypted raises
`CannotDecrypt`; the ciphertext is never handed out in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from .providers.secret import Secret


class CannotDecrypt(Exception):
    """The stored secret was encrypted with a key that FUSION_ENCRYPTION_KEYS does not hold."""


def _fernet() -> MultiFernet:
    if not settings.ENCRYPTION_KEYS:
        raise ImproperlyConfigured(
            "FUSION_ENCRYPTION_KEYS is not set: `python3 manage.py up` makes var/secrets.env."
        )
    try:
        return MultiFernet([Fernet(k) for k in settings.ENCRYPTION_KEYS])
    except ValueError:
        raise ImproperlyConfigured(
            "FUSION_ENCRYPTION_KEYS holds something that is no key: each is 32 bytes in "
            "URL-safe base64, several are separated by commas."
        ) from None


def encrypt(secret: Secret) -> str:
    return _fernet().encrypt(secret.reveal().encode()).decode()


def decrypt(token: str) -> Secret:
    try:
        return Secret(_fernet().decrypt(token.encode()).decode())
    except InvalidToken:
        raise CannotDecrypt(
            "A stored key cannot be read with the present encryption key. Enter it again."
        ) from None


def rotate(token: str) -> str:
    """The same secret, encrypted with the first key."""
    return encrypt(decrypt(token))


class Encrypted:
    """A ciphertext from the database. Truth is whether there is one; `reveal` decrypts."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __bool__(self) -> bool:
        return bool(self.token)

    def __repr__(self) -> str:
        return "***" if self.token else "''"

    __str__ = __repr__

    def secret(self) -> Secret:
        return decrypt(self.token)


if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField


class SecretField(_TextField):
    """Holds a `Secret` on assignment and gives an `Encrypted` when read from the database."""

    def from_db_value(self, value: str | None, *_: Any) -> Encrypted:
        return Encrypted(value or "")

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str:
        match value:
            case None | "":
                return ""
            case Encrypted():
                return value.token
            case Secret():
                return encrypt(value) if value else ""
        raise TypeError("A SecretField takes a Secret.")

    def value_to_string(self, obj: models.Model) -> str:
        return ""  # never in a dump
