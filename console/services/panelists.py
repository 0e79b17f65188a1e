"""From a model's name, as people type it, to a panelist with its options."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..catalog.listings import CatalogModel, all_models, look_up
from ..catalog.prices import context_length_of, price_of
from ..catalog.seed_data import LOCAL_ANALYSIS_TOKENS
from ..engine.spec import Panelist
from ..models import Credential
from ..providers import kinds
from .errors import NameRefused, Refused

LOCAL = kinds.BUILT_IN.slug
MAX_NAME = 200


@dataclass(frozen=True)
class NamedSeat:
    """A seat as somebody names it; options that are empty are the model's usual ones.

    `model` and `fallback` are names as people type them. Whoever read the options has seen to
    it that they are within their bounds.
    """

    model: str
    temperature: float | None = None
    max_output_tokens: int | None = None
    reasoning_effort: str = ""
    system_prompt: str = ""
    fallback: str = ""


def find_panelist(name: str) -> Panelist:
    """A model for a seat, by the name people type, with the usual limits. Raises Refused."""
    credential, model = Names(name).find(name)
    return panelist_of(credential, model, max_output_tokens=usual_limit(credential))


def find_judge(name: str, *, tokens: int = LOCAL_ANALYSIS_TOKENS) -> Panelist:
    """A judge or synthesizer by its name. The built-in model writes `tokens` at most."""
    return judge_of(*Names(name).find(name), tokens=tokens)


def judge_of(credential: Credential, model: str, *, tokens: int) -> Panelist:
    panelist = panelist_of(credential, model)
    return replace(panelist, max_output_tokens=tokens) if is_local(credential) else panelist


def find_seat(names: Names, number: int, seat: NamedSeat) -> Panelist:
    """Raises NameRefused: `number` is the seat's place among those that were named."""
    credential, model = names.find_for("panel", seat.model, number)
    panelist = panelist_of(
        credential, model, max_output_tokens=seat.max_output_tokens or usual_limit(credential)
    )
    fallback = None
    if seat.fallback.strip():
        other, stand_in = names.find_for("fallback", seat.fallback, number)
        fallback = fallback_of(
            other,
            stand_in,
            max_output_tokens=seat.max_output_tokens or usual_limit(other),
            system_prompt=seat.system_prompt,
        )
    return replace(
        panelist,
        temperature=seat.temperature,
        reasoning_effort=seat.reasoning_effort or None,
        system_prompt=seat.system_prompt,
        fallback=fallback,
    )


class Names:
    """Which credential is meant by a name. Servers are asked only if they may be meant."""

    def __init__(self, *names: str) -> None:
        self._credentials = {c.slug: c for c in Credential.objects.all()}
        self._ready = [c for c in self._credentials.values() if c.is_ready]
        self._listed: list[CatalogModel] | None = None
        # Asked unless they were lately, all at once: what the calls cost is wanted next.
        slugs = {name.strip().partition(":")[0] for name in names}
        look_up([c for c in self._ready if c.slug in slugs])

    def find(self, name: str) -> tuple[Credential, str]:
        name = name.strip()
        if not name.isprintable() or len(name) > MAX_NAME:
            # No server has such a model, and not every database can keep the name.
            raise Refused("A model's name is one line of at most 200 plain characters.")
        # A model's own name may hold a colon too (llama3:8b), so only a slug counts.
        slug, _, model = name.partition(":")
        if model.strip() and slug in self._credentials:
            return self._must_be_ready(self._credentials[slug]), model.strip()
        if not self._ready:
            raise Refused("No provider is set up yet. An admin can add a provider key.")
        if self._listed is None:
            self._listed, _ = all_models()
        offering = sorted({m.credential_slug for m in self._listed if m.model == name})
        if len(offering) > 1:
            choices = " or ".join(f"{slug}:{name}" for slug in offering)
            raise Refused(f"Several providers offer {name}: name it {choices}.")
        if offering:
            return self._credentials[offering[0]], name
        # Nobody lists it; a server may know it all the same. The built-in model has one name.
        servers = [c for c in self._ready if not c.is_local] or self._ready
        if len(servers) == 1:
            return servers[0], name
        choices = " or ".join(f"{c.slug}:{name}" for c in servers)
        raise Refused(f"No provider lists {name}. To ask for it all the same, name it {choices}.")

    def find_for(self, field: str, name: str, seat: int | None = None) -> tuple[Credential, str]:
        """Raises NameRefused."""
        try:
            return self.find(name)
        except Refused as refused:
            raise NameRefused(str(refused), field, seat) from None

    def _must_be_ready(self, credential: Credential) -> Credential:
        if lacks := credential.lacks:
            raise Refused(lacks)
        return credential


def fallback_of(
    credential: Credential,
    model: str,
    *,
    max_output_tokens: int | None = None,
    system_prompt: str = "",
) -> Panelist | None:
    """What the seat asks of its answer, it asks of whoever stands in too."""
    if not model:
        return None
    stand_in = panelist_of(credential, model, max_output_tokens=max_output_tokens)
    return replace(stand_in, system_prompt=system_prompt)


def panelist_of(
    credential: Credential, model: str, *, max_output_tokens: int | None = None
) -> Panelist:
    """Without a limit it is a judge or a synthesizer, whose limits are the policy's."""
    local = credential.is_local
    return Panelist(
        model=model,
        credential=credential.slug,
        # A model this small wanders when it is left any freedom.
        temperature=0.0 if local and max_output_tokens is None else None,
        max_output_tokens=max_output_tokens,
        price=price_of(credential, model),
        context_length=context_length_of(credential, model),
    )


def is_local(credential: Credential) -> bool:
    return credential.is_local


def usual_limit(credential: Credential) -> int | None:
    """Of other servers nothing is known, and one may refuse a limit above its context."""
    if credential.server and credential.server.output_tokens:
        return credential.server.output_tokens
    return credential.known_kind.output_tokens if credential.known_kind else None


def has_own_limit(panelist: Panelist) -> bool:
    """Whether its output limit was chosen for it, and is not the usual one of its server."""
    return panelist.max_output_tokens not in kinds.usual_limits()
