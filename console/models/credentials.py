"""A credential: where a provider is, and the secret to call it with.

A secret is encrypted at rest and bound to the origin (scheme, host, port) it
was entered for: with another address it is gone and must be entered again. A
credential that comes from the environment is a row without a secret: address
and key are read from the environment whenever they are used, so they can never
be stale or leak with the database.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from ..encryption import CannotDecrypt, Encrypted, SecretField
from ..engine.terms import Terms
from ..providers import kinds
from ..providers.registry import normalise_base_url
from ..providers.secret import Secret
from .prepared import Prepared, count_for, each, some


class Credential(models.Model):
    slug = models.SlugField(
        max_length=40,
        unique=True,
        help_text="Names its models where a name is not unique, as in slug:model.",
    )
    name = models.CharField(max_length=80)
    # No `choices`, here and below: a kind, or a server of one, takes no migration.
    kind = models.CharField(max_length=40)
    base_url = models.CharField("base URL", max_length=300, blank=True)
    secret = SecretField("API key", blank=True, editable=False)
    # What the secret was entered for, as `origin` gives it.
    secret_origin = models.CharField(max_length=300, blank=True, editable=False)
    last_four = models.CharField(max_length=4, blank=True, editable=False)
    # The known server whose variables fill it; "" when an admin enters address and key.
    environment = models.CharField(max_length=40, blank=True, default="", editable=False)
    enabled = models.BooleanField(default=True)
    max_concurrent = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Calls at a time, per worker process; more wait for a free place. "
        "Empty: no limit.",
    )
    # When its provider said that nothing can be paid with it, as long as that holds; and when
    # it was last asked for that.
    cannot_pay_since = models.DateTimeField(null=True, blank=True, editable=False)
    money_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What whoever has the key has agreed with the provider, or knows of the machine: nobody
    # can ask a server.
    zero_retention = models.BooleanField(
        default=False,
        db_default=False,
        help_text="By contract the provider keeps nothing of what it is sent or answers.",
    )
    no_training = models.BooleanField(
        default=False,
        db_default=False,
        help_text="By contract the provider trains no model on it.",
    )
    own_machine = models.BooleanField(
        "on our own machine",
        null=True,
        blank=True,
        help_text="Whether nothing leaves it for another provider. Unknown: yes at this "
        "machine's own address (localhost). No for a gateway that passes requests on.",
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

    def clean(self) -> None:
        """A kind that is not known here may stay, not be chosen."""
        super().clean()
        if not self.kind or self.known_kind:
            return
        if not Credential.objects.filter(pk=self.pk, kind=self.kind).exists():
            raise ValidationError({"kind": kinds.unknown(self.kind)})

    @property
    def known_kind(self) -> kinds.Kind | None:
        """None for one that only a newer version knows."""
        return kinds.KINDS.get(self.kind)

    @property
    def server(self) -> kinds.Server | None:
        """The known server that this is the credential of. The built-in one may serve a larger
        model, of which only its context is known."""
        known = kinds.server_named(self.environment)
        if known and known.is_built_in and settings.LOCAL_MODEL_CONTEXT:
            length = settings.LOCAL_MODEL_CONTEXT
            return replace(known, context_length=length, output_tokens=None)
        return known

    @property
    def is_local(self) -> bool:
        """Whether it is the built-in model's."""
        return self.server is not None and self.server.is_built_in

    @property
    def is_tiny(self) -> bool:
        """Whether it is the packaged model's, which must be kept short."""
        return self.is_local and not settings.LOCAL_MODEL_CONTEXT

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
        if not self.known_kind:
            return f"{self.name}: {kinds.unknown(self.kind)}"
        if not self.url:
            return f"{self.name} {self._wanted}"
        try:
            normalise_base_url(self.url)
            has_key = bool(self.key)
        except ValueError as e:
            return f"{self.name}: {e}"
        except (CannotDecrypt, ImproperlyConfigured) as e:
            return f"{self.name}: {e}"
        if not has_key and self._needs_a_key and not self._stack_has_key:
            return self._without_a_key
        return ""

    @property
    def lacks_a_key(self) -> bool:
        """And nothing else."""
        return self.lacks == self._without_a_key

    @property
    def _without_a_key(self) -> str:
        return f"{self.name} needs an API key."

    @property
    def is_on_own_machine(self) -> bool:
        """Where nothing is told to anybody else. A kind with a home leads there from anywhere."""
        if self.is_local or (self.known_kind and self.known_kind.home):
            return self.is_local
        here = kinds.is_on_this_machine(self.url)
        return here if self.own_machine is None else self.own_machine

    def unkept(self, terms: Terms) -> list[str]:
        """The promises among the terms that nobody can give for a call with it, by name."""
        if self.is_on_own_machine:
            return []
        kept = set(self.known_kind.keeps if self.known_kind else ())
        if self.zero_retention:
            kept |= {"zero_retention", "no_training"}  # what is not kept is not trained on
        if self.no_training:
            kept.add("no_training")
        if there := kinds.server_at(self.url):
            if _names(there, terms.only_providers):
                kept.add("only_providers")
            if not _names(there, terms.ignored_providers):
                kept.add("ignored_providers")
        return [name for name in terms.promises if name not in kept]

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
        kind, there = self.known_kind, kinds.server_at(self.url)
        return (kind is not None and kind.needs_key) or (there is not None and there.needs_key)

    @property
    def _wanted(self) -> str:
        if self.is_local:
            instead = " or ".join(kinds.keys_for_starters())
            return (
                "is not running: `python3 manage.py up` installs and starts it, unless "
                f"{instead} is set or --no-local-model is given."
            )
        variable = self.server.address_variable if self.server else ""
        if variable and self.server and not self.server.address:
            return f"is not set up: set {variable} or give its base URL."
        return "has no base URL."

    @property
    def url(self) -> str:
        return self._environment_url() or self.base_url

    @property
    def key(self) -> Secret:
        """The secret to send to `url`, or an empty one. Raises CannotDecrypt."""
        if self.from_environment:
            variable = self.server.key_variable if self.server else ""
            return Secret(os.environ.get(variable, "").strip())
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

    @property
    def has_key_elsewhere(self) -> bool:
        """Whether others of this site can ask its server, and this process cannot."""
        return self._stack_has_key and not self.key

    def _environment_url(self) -> str:
        """The address in the environment, or "" when the environment does not offer this."""
        server, env = self.server, os.environ
        if server is None:
            return ""
        if server.is_built_in:
            return settings.LOCAL_MODEL_URL
        address = env.get(server.address_variable, "")
        has_key = bool(env.get(server.key_variable)) or self._stack_has_key
        # Where every call needs a key, the address alone offers nothing.
        alone = bool(address) and not (self.known_kind and self.known_kind.needs_key)
        if not has_key and not alone:
            return ""
        return _normal(address or server.address, ollama=server.takes_bare_host)


def credentials_named(slugs: Collection[str]) -> list[Credential]:
    """Those that are there, of at least one."""
    named = sorted(slugs)
    return _named(count_for(named)).rows(**each("slug", named))


@cache
def _named(count: int) -> Prepared:
    slugs = some("slug", models.SlugField(), count)
    return Prepared(lambda: Credential.objects.filter(slug__in=slugs))


_ALL = Prepared(lambda: Credential.objects.all())


def all_credentials() -> list[Credential]:
    """As a list of them is asked for with every form, by SQL that is made once."""
    return _ALL.rows()


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


def _names(server: kinds.Server, providers: Iterable[str]) -> bool:
    """A name may go on with a place, as in openai/eu."""
    return server.slug in {name.partition("/")[0].casefold() for name in providers}


def _normal(url: str, *, ollama: bool = False) -> str:
    """A variable that is no address stays as it is; `lacks` says so."""
    try:
        return normalise_base_url(url, ollama=ollama)
    except ValueError:
        return url
