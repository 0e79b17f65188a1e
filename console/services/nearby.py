"""Model servers on this machine: found, offered, and after a yes made a preset of.

An answer is asked for once: yes and no alike are remembered for the server's address, by a
`Seed`, and the keys page offers it all the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.db import transaction

from ..catalog.seed_data import presets as came_with_the_site
from ..models import Credential, Preset, PresetPanelist, Seed
from ..providers import kinds
from ..providers.chat_models import choose
from ..providers.listing import CredentialTest
from ..providers.nearby import OLLAMA, PATIENCE, NearServer, candidates, look
from ..providers.wire.http import make_client
from .credentials import credential_add, new_slug
from .errors import Refused

KEPT = 20  # seconds
SEATS = 3
LOCAL = "local"
# Models of a machine of one's own are loaded one after the other, and write as fast as it can.
PATIENT = {"first_token_timeout": 600, "total_timeout": 1800, "panel_timeout": 1800}
OUTPUT_TOKENS = 4000
# Where one model answers thrice.
MOODS: tuple[dict[str, Any], ...] = (
    {
        "label": "careful",
        "temperature": 0.2,
        "seed": 11,
        "system_prompt": "Answer carefully. Say only what you are sure of.",
    },
    {
        "label": "plain",
        "temperature": 0.6,
        "seed": 22,
        "system_prompt": "Answer plainly, in short sentences.",
    },
    {
        "label": "bold",
        "temperature": 0.9,
        "seed": 33,
        "system_prompt": "Answer boldly. Take a clear position and give a reason.",
    },
)
OLLAMA_SERVER = kinds.server_named("ollama")
_CACHE_KEY = "servers-near-1"
_NUMBERS = {1: "One model", 2: "Two models", 3: "Three models"}


@dataclass(frozen=True)
class Offer:
    server: NearServer
    is_answered: bool  # somebody has said yes or no
    is_used: bool  # by a preset

    @property
    def is_open(self) -> bool:
        return not (self.is_answered or self.is_used)

    @cached_property
    def chosen(self) -> list[str]:
        """What the preset would be made of; the first judges."""
        return [model.name for model in choose(self.server.models, SEATS)]

    @property
    def where(self) -> str:
        return "on this machine" if self.server.is_here else f"at {self.server.where}"


def servers_near(*, fresh: bool = False) -> list[Offer]:
    """Asked for their lists at most every few seconds, and never longer than a moment."""
    found: list[NearServer] | None = None if fresh else cache.get(_CACHE_KEY)
    if found is None:
        found = asyncio.run(_look()) if settings.LOCAL_SERVER_PORTS else []
        cache.set(_CACHE_KEY, found, KEPT)
    answered = set(Seed.objects.values_list("name", flat=True))
    seats = PresetPanelist.objects.filter(preset__enabled=True).select_related("credential")
    used = {_place(seat.credential.url) for seat in seats}
    return [Offer(s, _mark(s.url) in answered, _place(s.url) in used) for s in found]


def awaits_answer(credential: Credential) -> bool:
    """Whether OLLAMA_HOST alone has brought it, and nobody has said yet what to make of it."""
    return (
        bool(settings.LOCAL_SERVER_PORTS)
        and credential.from_environment
        and kinds.server_named(credential.environment) == OLLAMA_SERVER
        and not Seed.objects.filter(name=_mark(credential.url)).exists()
        and not PresetPanelist.objects.filter(preset__enabled=True, credential=credential).exists()
    )


def server_use(*, url: str) -> Preset:
    """A credential for it, and the preset Local of its models; a new one where an admin has
    made Local their own. Raises Refused."""
    offer = next((o for o in servers_near(fresh=True) if o.server.url == url), None)
    if offer is None:
        raise Refused("This server does not answer any more. Start it and look again.")
    with transaction.atomic():
        _answered(url)
        return _make_preset(offer, _credential(offer.server))


def server_decline(*, url: str) -> None:
    """Raises Refused for what was never offered."""
    if url not in {offer.server.url for offer in servers_near()}:
        raise Refused("No such server was found.")
    _answered(url)


async def _look() -> list[NearServer]:
    where = candidates(
        settings.LOCAL_SERVER_PORTS,
        ollama_host=os.environ.get(OLLAMA_SERVER.address_variable, "") if OLLAMA_SERVER else "",
        own=_own_ports(),
    )
    async with make_client(connect_timeout=PATIENCE) as client:
        return await look(where, client=client, patience=PATIENCE)


def _own_ports() -> set[int]:
    """Wherever this site itself may be met."""
    ours = {settings.PORT}
    for url in (settings.LOCAL_MODEL_URL, settings.REDIS_URL, settings.BASE_URL):
        if kinds.is_on_this_machine(url):
            ours.add(urlsplit(url).port or 0)
    return ours


def _credential(server: NearServer) -> Credential:
    """Whoever is known at this address; else Ollama's own, or a new one. Saved."""
    kind = kinds.OPENAI_COMPATIBLE.slug
    known = Credential.objects.filter(kind=kind).exclude(environment=kinds.BUILT_IN.slug)
    credential = next((c for c in known if c.url and _place(c.url) == _place(server.url)), None)
    if credential is None and server.name == OLLAMA:
        own = Credential.objects.filter(environment="ollama").first()
        credential = own if own and not own.url else None
    if credential is None:
        slug = new_slug(server.name)
        credential = Credential(slug=slug, name=_free_name(server.name), kind=kind)
    if not credential.url:
        credential.base_url = server.url
    credential.enabled = True
    count = len(server.models)
    sentence = f"It lists {count} model{'' if count == 1 else 's'} to talk to."
    credential_add(credential=credential, result=CredentialTest(True, sentence, 0))
    return credential


def _make_preset(offer: Offer, credential: Credential) -> Preset:
    names = offer.chosen
    of = f"{_NUMBERS[len(names)]} of {credential.name} {offer.where}"
    moods = ", in three moods" if len(names) == 1 else ""
    content = {
        "description": f"{of}{moods}. No key, no cost."[:200],
        "judge_model": names[0],
        "judge_credential": credential,
        "wait_for": "everyone",
        **PATIENT,
    }
    there = Preset.objects.filter(slug=LOCAL).first()
    if there and _is_as_given(there):
        there.panelists.all().delete()
        preset = Preset(
            pk=there.pk, slug=LOCAL, name=there.name, position=there.position, **content
        )
    else:
        slug = f"local-{credential.slug}"[:36]
        taken = set(Preset.objects.values_list("slug", flat=True))
        slug = next(s for s in (slug, *(f"{slug}-{n}" for n in range(2, 999))) if s not in taken)
        name = f"Local ({credential.name})"[:60]
        preset = Preset(slug=slug, name=name, position=25, **content)
    preset.save()
    seats = [{"model": name} for name in names] if len(names) > 1 else _moods(names[0])
    for seat, options in enumerate(seats):
        PresetPanelist.objects.create(
            preset=preset,
            seat=seat,
            credential=credential,
            **{"max_output_tokens": OUTPUT_TOKENS, **options},
        )
    Seed.objects.get_or_create(name=_made(preset, preset.panelists.all()))
    return preset


def _moods(model: str) -> list[dict[str, Any]]:
    return [{"model": model, **mood} for mood in MOODS]


def _is_as_given(preset: Preset) -> bool:
    """Whether no admin has changed it since it came with the site, or was made here."""
    mark = _made(preset, preset.panelists.all())
    if Seed.objects.filter(name=mark).exists():
        return True
    values = came_with_the_site()[LOCAL]
    panel, slug = values.pop("panel"), values.pop("credential")
    credential = Credential.objects.get(slug=slug)
    given = Preset(slug=LOCAL, judge_credential=credential, **values)
    seats = [PresetPanelist(seat=n, credential=credential, **s) for n, s in enumerate(panel)]
    return mark == _made(given, seats)


def _made(preset: Preset, seats: Iterable[PresetPanelist]) -> str:
    """The mark of exactly this content."""

    def values(row: Preset | PresetPanelist) -> dict[str, Any]:
        return {
            field.attname: field.to_python(getattr(row, field.attname))
            for field in row._meta.concrete_fields
            if field.name not in ("id", "preset")
        }

    content = json.dumps([values(preset), *map(values, seats)], sort_keys=True, default=str)
    return f"preset-made:{hashlib.sha256(content.encode()).hexdigest()[:32]}"


def _answered(url: str) -> None:
    Seed.objects.get_or_create(name=_mark(url))


def _mark(url: str) -> str:
    return f"server:{_place(url)}"[:80]


def _place(url: str) -> str:
    """The same for every name that this machine has for itself."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return url
    return f"{'here' if kinds.is_on_this_machine(url) else parts.hostname}:{port}"


def _free_name(name: str) -> str:
    taken = set(Credential.objects.values_list("name", flat=True))
    return next(n for n in (name, *(f"{name} {k}" for k in range(2, 999))) if n not in taken)
