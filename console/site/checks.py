"""Mistakes in the settings, said before they hurt, each with the way out."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from .addresses import networks

_UP = "`python3 manage.py up` generates both into var/secrets.env; elsewhere set it yourself."


@register()
def sqlite_waits(**_: Any) -> list[CheckMessage]:
    """Without WAL and IMMEDIATE together, two writers end in "database is locked"."""
    messages: list[CheckMessage] = []
    for alias, database in settings.DATABASES.items():
        if not database["ENGINE"].endswith("sqlite3"):
            continue
        options = database.get("OPTIONS", {})
        wal = "journal_mode=wal" in options.get("init_command", "").lower().replace(" ", "")
        if not wal or options.get("transaction_mode") != "IMMEDIATE":
            messages.append(
                Error(
                    f"SQLite database {alias!r} is without WAL or IMMEDIATE transactions.",
                    hint="Set OPTIONS init_command to PRAGMA journal_mode=WAL and "
                    "transaction_mode to IMMEDIATE.",
                    id="console.E001",
                )
            )
    return messages


@register(Tags.security)
def encryption_keys_are_keys(**_: Any) -> list[CheckMessage]:
    for number, key in enumerate(settings.ENCRYPTION_KEYS, 1):
        try:
            Fernet(key)
        except ValueError:
            return [
                Error(
                    f"Key {number} in FUSION_ENCRYPTION_KEYS is no key.",
                    hint="Each is 32 bytes in URL-safe base64: `openssl rand -base64 32 "
                    "| tr '+/' '-_'`. Several are separated by commas, the newest first.",
                    id="console.E002",
                )
            ]
    return []


@register(Tags.security, deploy=True)
def secrets_are_there(**_: Any) -> list[CheckMessage]:
    """Asked by whatever serves (`check --deploy`); commands that need no secret go without."""
    messages: list[CheckMessage] = []
    try:
        secret_key = settings.SECRET_KEY
    except ImproperlyConfigured:
        secret_key = ""
    if len(secret_key) < 32:
        problem = "is too short to be secret" if secret_key else "is not set"
        messages.append(Error(f"SECRET_KEY {problem}.", hint=_UP, id="console.E003"))
    if not settings.ENCRYPTION_KEYS:
        messages.append(Error("FUSION_ENCRYPTION_KEYS is not set.", hint=_UP, id="console.E004"))
    elif secret_key in settings.ENCRYPTION_KEYS:
        messages.append(
            Error(
                "SECRET_KEY is also an encryption key.",
                hint="One signs, the other encrypts; a leak of one must not be a leak of both.",
                id="console.E005",
            )
        )
    return messages


@register()
def provider_addresses_are_addresses(**_: Any) -> list[CheckMessage]:
    from ..providers.kinds import address_variables
    from ..providers.registry import normalise_base_url

    messages: list[CheckMessage] = []
    for name, server in address_variables().items():
        try:
            if value := os.environ.get(name):
                normalise_base_url(value, ollama=server.takes_bare_host)
        except ValueError as e:
            messages.append(
                Error(f"{name}: {e}", hint="As in http://host:port/v1", id="console.E006")
            )
    return messages


@register()
def redis_address_is_one(**_: Any) -> list[CheckMessage]:
    """Celery takes what it does not know for the name of an AMQP server, and waits for that."""
    url = settings.REDIS_URL
    if not url or url.startswith(("redis://", "rediss://", "unix://")):
        return []
    hint = "As in redis://host:6379/0 or unix:///path/to/socket"
    return [Error("REDIS_URL is no address of a Redis.", hint=hint, id="console.E007")]


@register()
def public_address_is_one(**_: Any) -> list[CheckMessage]:
    url = settings.BASE_URL
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and parts.hostname and not parts.path
    except ValueError:
        right = False
    if not url or right:
        return []
    hint = "As in https://fusion.example.org, without a path"
    return [Error("FUSION_BASE_URL is no address of a site.", hint=hint, id="console.E008")]


@register()
def origins_are_some(**_: Any) -> list[CheckMessage]:
    """What is no origin would match none, without a word."""
    wrong = [origin for origin in settings.CORS_ALLOWED_ORIGINS if not _is_origin(origin)]
    if not wrong or settings.CORS_ALLOW_ALL_ORIGINS:
        return []
    hint = "As in https://app.example.org,http://localhost:3000, or * alone for any"
    return [
        Error(f"FUSION_CORS_ORIGINS has no origin in {wrong[0]}.", hint=hint, id="console.E009")
    ]


@register()
def proxies_are_addresses(**_: Any) -> list[CheckMessage]:
    try:
        networks(tuple(settings.TRUSTED_PROXIES))
    except ValueError as e:
        hint = "Addresses or networks, as in 127.0.0.1,10.0.0.0/8"
        return [Error(f"FUSION_TRUSTED_PROXIES: {e}.", hint=hint, id="console.E010")]
    return []


@register(Tags.security, deploy=True)
def a_proxy_is_trusted(**_: Any) -> list[CheckMessage]:
    """Else all who come through it count as one address."""
    if not settings.BASE_URL or settings.TRUSTED_PROXIES:
        return []
    return [
        Warning(
            "FUSION_BASE_URL is set, and FUSION_TRUSTED_PROXIES is not.",
            hint="Behind a proxy everybody has its address, and shares the limits of one: name it.",
            id="console.W001",
        )
    ]


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(parts.scheme and parts.hostname) and text == f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        return False
