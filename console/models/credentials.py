"""A credential: where a provider is, and the secret to call it with.

A secret is encrypted at rest and bound to the origin (scheme, host, port) it
was entered for: with another address it is gone and must be entered again. A
credential that comes from the environment is a row without a secret: address
and key are read from the environment whenever they are used, so they can never
be stale or leak with the database.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.validators import MinValueValidator
from django.db import models

from ..encryption import CannotDecrypt, Encrypted, SecretField
from ..providers.registry import KINDS, normalise_base_url
from ..providers.secret import Secret

OPENROUTER_URL = "https://openrouter.ai/api/v1"
OPENAI_URL = "https://api.openai.com/v1"


class Environment(models.TextChoices):
    """Which variables of the environment a credential is read from."""

    NONE = "", "entered by an admin"
    OPENROUTER = "openrouter", "OPENROUTER_API_KEY, OPENROUTER_BASE_URL"
    OPENAI = "openai", "OPENAI_API_KEY, OPENAI_BASE_URL"
    OLLAMA = "ollama", "OLLAMA_HOST"
    LOCAL = "local", "the built-in model"


class Credential(models.Model):
    slug = models.SlugField(
        max_length=40,
        unique=True,
        help_text="Names its models where a name is not unique, as in slug:model.",
    )
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=40, choices=[(k, k) for k in KINDS])
    base_url = models.CharField("base URL", max_length=300, blank=True)
    secret = SecretField("API key", blank=True, editable=False)
    # What the secret was entered for, as `origin` gives it.
    secret_origin = models.CharField(max_length=300, blank=True, editable=False)
    last_four = models.CharField(max_length=4, blank=True, editable=False)
    environment = models.CharField(
        max_length=20, choices=Environment, blank=True, default="", editable=False
    )
    enabled = models.BooleanField(default=True)
    max_concurrent = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Calls at a time, per worker process; more wait for a free place. "
        "Empty: no limit.",
    )
    tested_at = models.DateTimeField("last test", null=True, blank=True, editable=False)
    test_ok = models.BooleanField("passed", null=True, blank=True, editable=False)
    test_result = models.CharField("result", max_length=500, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A secret just assigned is bound to the address; one bound to another is dropped."""
        here = origin(self.base_url)
        if isinstance(self.secret, Secret) and self.secret:
            self.last_four, self.secret_origin = last_four(self.secret), here
        elif not self.secret or self.secret_origin != here:
            self.secret, self.secret_origin, self.last_four = "", "", ""
        super().save(*args, **kwargs)

    @property
    def from_environment(self) -> bool:
        """True when the environment supplies it now; a secret typed in stands back then."""
        return bool(self.environment) and bool(self._environment_url())

    @property
    def is_ready(self) -> bool:
        """Whether a call can be made with it."""
        return not self.lacks

    @property
    def lacks(self) -> str:
        """What stands in the way of a call, as one sentence; "" when nothing does."""
        if not self.enabled:
            return f"{self.name} is switched off."
        if not self.url:
            return f"{self.name} {_WANTED.get(self.environment, 'has no base URL.')}"
        try:
            normalise_base_url(self.url)
            has_key = bool(self.key)
        except ValueError as e:
            return f"{self.name}: {e}"
        except (CannotDecrypt, ImproperlyConfigured) as e:
            return f"{self.name}: {e}"
        if not has_key and self._needs_a_key and not self._stack_has_key:
            return f"{self.name} needs an API key."
        return ""

    @property
    def key_state(self) -> str:
        """As much of the key as may be shown."""
        if self.from_environment:
            return "from the environment"
        if not self.secret:
            return "none"
        return f"ends in {self.last_four}" if self.last_four else "stored"

    @property
    def _needs_a_key(self) -> bool:
        return self.kind == "openrouter" or (urlsplit(self.url).hostname or "") in _NEED_A_KEY

    @property
    def url(self) -> str:
        return self._environment_url() or self.base_url

    @property
    def key(self) -> Secret:
        """The secret to send to `url`, or an empty one. Raises CannotDecrypt."""
        if self.from_environment:
            return Secret(os.environ.get(_KEY_VARIABLES.get(self.environment, ""), "").strip())
        match self.secret:
            case Encrypted() if self.secret and self.secret_origin == origin(self.base_url):
                return self.secret.secret()
            case Secret() if not self.secret_origin or self.secret_origin == origin(self.base_url):
                return self.secret
        return Secret("")

    @property
    def _stack_has_key(self) -> bool:
        """The running `up` was given the key, though this process (a shell's) was not."""
        return self.environment in os.environ.get("FUSION_STACK_KEYS", "").split()

    def _environment_url(self) -> str:
        """The address in the environment, or "" when the environment does not offer this."""
        env = os.environ
        match self.environment:
            case Environment.OPENROUTER if env.get("OPENROUTER_API_KEY") or self._stack_has_key:
                return _normal(env.get("OPENROUTER_BASE_URL") or OPENROUTER_URL)
            case Environment.OPENAI if (
                env.get("OPENAI_API_KEY") or env.get("OPENAI_BASE_URL") or self._stack_has_key
            ):
                return _normal(env.get("OPENAI_BASE_URL") or OPENAI_URL)
            case Environment.OLLAMA if env.get("OLLAMA_HOST"):
                return _normal(env["OLLAMA_HOST"], ollama=True)
            case Environment.LOCAL:
                return settings.LOCAL_MODEL_URL
        return ""


def last_four(secret: Secret) -> str:
    """For telling keys apart; nothing of a key too short to hide the rest."""
    key = secret.reveal()
    return key[-4:] if len(key) >= 12 else ""


def origin(url: str) -> str:
    """Scheme, host and port: whom a key sent to this address is told to."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return url
    return f"{parts.scheme}://{parts.hostname or ''}:{port}"


def _normal(url: str, *, ollama: bool = False) -> str:
    """A variable that is no address stays as it is; `lacks` says so."""
    try:
        return normalise_base_url(url, ollama=ollama)
    except ValueError:
        return url


_KEY_VARIABLES: dict[str, str] = {
    Environment.OPENROUTER: "OPENROUTER_API_KEY",
    Environment.OPENAI: "OPENAI_API_KEY",
}
_NEED_A_KEY = {"openrouter.ai", "api.openai.com"}
_WANTED: dict[str, str] = {
    Environment.OLLAMA: "is not set up: set OLLAMA_HOST or give its base URL.",
    Environment.LOCAL: "is not running: `python3 manage.py up` installs and starts it, unless "
    "OPENROUTER_API_KEY is set or --no-local-model is given.",
}
