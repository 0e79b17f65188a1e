"""People: the first admin's claim, members and admins."""

from __future__ import annotations

import hashlib
import secrets

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from ..models import InstallClaim
from .errors import Refused

# A token that was used is kept under another hash: it opens nothing any more, whoever is there.
_USED = "used:"


def claim_make() -> str:
    """A token with which the first admin can be made, once; "" when somebody is there already.

    Earlier tokens end.
    """
    with transaction.atomic():
        if User.objects.exists():
            return ""
        token = secrets.token_urlsafe(32)
        InstallClaim.objects.all().delete()
        InstallClaim.objects.create(token_hash=_hash(token))
        return token


def claim_is_open(token: str) -> bool:
    return _claims(token).exists() and not User.objects.exists()


def claim_use(*, token: str, username: str, password: str) -> User:
    """Makes the first admin. Of two who try at once, one is refused."""
    with transaction.atomic():
        used = _claims(token).update(token_hash=_hash(f"{_USED}{token}"))
        if not used or User.objects.exists():
            raise Refused("This link has been used.")
        return User.objects.create_superuser(username, password=password)


def claim_is_spent(token: str) -> bool:
    """Whether it was the link to the first account, which is there."""
    known = _claims(token) | _claims(f"{_USED}{token}")
    return User.objects.exists() and known.exists()


def active_admins() -> QuerySet[User]:
    return User.objects.filter(is_active=True, is_staff=True, is_superuser=True)


def is_last_admin(user: User) -> bool:
    """Whether nobody could sign in to the admin without this person.

    Asked within a transaction: until it ends nobody else ceases to be an admin, so that of
    two who are dismissed at once one stays.
    """
    admins = active_admins().select_for_update().order_by("pk")
    return list(admins.values_list("pk", flat=True)) == [user.pk]


def _claims(token: str) -> QuerySet[InstallClaim]:
    return InstallClaim.objects.filter(token_hash=_hash(token))


def _hash(token: str) -> str:
    # Long and random, so a plain hash is enough.
    return hashlib.sha256(token.encode()).hexdigest()
