"""A credential: where a provider is, and the secret to call it with.

A secret is encrypted at rest and bound to its host. A credential that comes
from the environment is a row without a secret: address and key are read from
the environment whenever they are used, so they can never be stale or leak
with the database.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models

from ..encryption import Encrypted, SecretField
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
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=40, choices=[(k, k) for k in KINDS])
    base_url = models.CharField(max_length=300, blank=True)
    secret = SecretField(blank=True)
    last_four = models.CharField(max_length=4, blank=True, editable=False)
    environment = models.CharField(
        max_length=20, choices=Environment, blank=True, default="", editable=False
    )
    enabled = models.BooleanField(default=True)
    tested_at = models.DateTimeField(null=True, blank=True, editable=False)
    test_ok = models.BooleanField(null=True, blank=True, editable=False)
    test_result = models.CharField(max_length=500, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def from_environment(self) -> bool:
        """True when the environment supplies it now; a secret typed in stands back then."""
        return bool(self.environment) and bool(self._environment_url())

    @property
    def is_ready(self) -> bool:
        """Whether a call can be made with it."""
        return self.enabled and (self.from_environment or self._is_entered)

    @property
    def _is_entered(self) -> bool:
        if self.environment in (Environment.OPENROUTER,) or self.host in _NEED_A_KEY:
            return bool(self.secret)
        return bool(self.base_url) and self.environment != Environment.LOCAL

    @property
    def url(self) -> str:
        return self._environment_url() or self.base_url

    @property
    def host(self) -> str:
        parts = urlsplit(self.base_url)
        return parts.hostname or ""

    @property
    def key(self) -> Secret:
        if self.from_environment:
            return Secret(os.environ.get(_KEY_VARIABLES.get(self.environment, ""), ""))
        stored = self.secret
        return stored.secret() if isinstance(stored, Encrypted) and stored else stored or Secret("")

    def _environment_url(self) -> str:
        """The address in the environment, or "" when the environment does not offer this."""
        env = os.environ
        match self.environment:
            case Environment.OPENROUTER if env.get("OPENROUTER_API_KEY"):
                return normalise_base_url(env.get("OPENROUTER_BASE_URL") or OPENROUTER_URL)
            case Environment.OPENAI if env.get("OPENAI_API_KEY") or env.get("OPENAI_BASE_URL"):
                return normalise_base_url(env.get("OPENAI_BASE_URL") or OPENAI_URL)
            case Environment.OLLAMA if env.get("OLLAMA_HOST"):
                return normalise_base_url(env["OLLAMA_HOST"], ollama=True)
            case Environment.LOCAL:
                return settings.LOCAL_MODEL_URL
        return ""


_KEY_VARIABLES = {
    Environment.OPENROUTER: "OPENROUTER_API_KEY",
    Environment.OPENAI: "OPENAI_API_KEY",
}
_NEED_A_KEY = {"openrouter.ai", "api.openai.com"}
