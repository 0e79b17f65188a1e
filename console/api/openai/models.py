"""`GET /v1/models` and `/v1/models/{id}`: presets, and single models passed through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponseBase, JsonResponse
from django.urls import reverse

from ... import access
from ...catalog.listings import all_models
from ...catalog.near import did_you_mean
from ...engine.spec import Panelist, Spec
from ...engine.usage import MILLION, Price
from ...models import ApiToken, CatalogModel, Preset
from ...models.tokens import Scope
from ...services.build_spec import build
from ...services.errors import Refused
from ...services.own_presets import own_wish
from ...services.presets import preset_spec, presets_enabled
from ...services.token_defaults import TokenDefaults
from ..http.base import ApiCall, NoBody, endpoint
from ..http.db import db
from ..http.errors import ApiError
from ..planning.asked import ALIASES, FLASH, PREFIX
from ..planning.plan import fast, usual_preset
from .model_replies import Architecture, Links, Member, Model, ModelList, Pages, Panel, TopProvider

TEXT_ONLY = Architecture(
    input_modalities=["text"], output_modalities=["text"], modality="text->text"
)

# What a request may say to the model that answers.
TAKEN = [
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "seed",
    "response_format",
    "structured_outputs",
    "reasoning",
    "reasoning_effort",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
]


@endpoint(Scope.MODELS, reply=ModelList)
async def models(call: ApiCall[NoBody]) -> HttpResponseBase:
    """What can be asked now: presets, and single models passed through."""
    rows = await db(_all, call.token)
    # The second half is what OpenRouter's clients expect.
    whole = ModelList(object="list", data=rows, total_count=len(rows), links=Pages(next=None))
    return JsonResponse(whole.payload())


@endpoint(Scope.MODELS, reply=Model)
async def model(call: ApiCall[NoBody], name: str) -> HttpResponseBase:
    """One of them, by its name."""
    name = name.strip("/")
    rows = await db(_all, call.token)
    for row in rows:
        # A model that two servers list is known by `credential:model` only; one that is
        # unique may be named either way.
        if name in (row.id, f"{row.owned_by}:{row.id}"):
            return JsonResponse(row.model_copy(update={"id": name}).payload())
    several = [row.id for row in rows if row.id == f"{row.owned_by}:{name}"]
    message = f"Several providers offer {name}: name it {' or '.join(several)}." if several else ""
    near = did_you_mean(name, (row.id for row in rows))
    message = message or f"There is no model “{name}”.{near}"
    raise ApiError("model_not_found", message, param="model")


def _all(token: ApiToken) -> list[Model]:
    usual = TokenDefaults.of(token.defaults).preset
    return [*_presets(usual), *_own_presets(token.owner), *_single_models()]


def _own_presets(person: User) -> Iterator[Model]:
    """What whoever asks has saved: nobody else is told of it."""
    for preset in access.presets_of(person):
        try:
            spec = build(own_wish(preset))
        except Refused:
            continue
        yield _preset(f"{PREFIX}{preset.slug}", f"Fusion {preset.name}", preset.description, spec)


def _presets(usual: str) -> Iterator[Model]:
    """Those that can run now; the default one under its short names first."""
    specs: dict[str, tuple[Preset, Spec]] = {}
    for preset, lacks in presets_enabled().items():
        try:
            if not lacks:
                specs[preset.slug] = preset, preset_spec(preset)
        except Refused:
            continue
    try:
        usual = usual or usual_preset()
    except ApiError:
        usual = ""
    if usual in specs:
        preset, spec = specs[usual]
        for alias in ALIASES:
            if alias != FLASH:
                yield _preset(alias, f"Fusion ({preset.name})", preset.description, spec)
    for slug, (preset, spec) in specs.items():
        yield _preset(f"{PREFIX}{slug}", f"Fusion {preset.name}", preset.description, spec)
    yield from _flash()


def _flash() -> Iterator[Model]:
    try:
        spec = build(fast())
    except (ApiError, Refused):
        return
    yield _preset(FLASH, "Fusion Flash", "The three quickest models seen here.", spec)


def _preset(name: str, title: str, description: str, spec: Spec) -> Model:
    asked = [*spec.panel, spec.judge, spec.writer]
    lengths = [p.context_length for p in asked if p.context_length]
    length = min(lengths) if len(lengths) == len(asked) else None
    return Model(
        **_listed(name, "fusion", title, length),
        description=description,
        # Every call has its own price, and their number varies: OpenRouter's mark for that.
        pricing={"prompt": "-1", "completion": "-1"},
        fusion=Panel(
            panel=[_member(p) for p in spec.panel],
            judge=_member(spec.judge) if spec.judge.can_judge else None,
            synthesizer=_member(spec.writer) if spec.writer.can_judge else None,
        ),
    )


def _listed(name: str, owner: str, title: str, context_length: int | None) -> dict[str, Any]:
    """Of every model; the second half is what OpenRouter's own clients insist on."""
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": owner,
        "name": title,
        "context_length": context_length,
        "architecture": TEXT_ONLY,
        "canonical_slug": name,
        "supported_parameters": TAKEN,
        "default_parameters": None,
        "per_request_limits": None,
        "supported_voices": None,
        "top_provider": TopProvider(
            context_length=context_length, max_completion_tokens=None, is_moderated=False
        ),
        "links": Links(details=reverse("api-model", args=[name])),
    }


def _member(panelist: Panelist) -> Member:
    return Member(
        model=f"{panelist.credential}:{panelist.model}",
        context_length=panelist.context_length,
        pricing=_pricing(panelist.price),
    )


def _single_models() -> Iterator[Model]:
    listed, _ = all_models()
    times = Counter(m.model for m in listed)
    for row in listed:
        yield _single(row, row.model if times[row.model] == 1 else "")


def _single(row: CatalogModel, name: str) -> Model:
    name = name or f"{row.credential_slug}:{row.model}"
    listed = _listed(name, row.credential_slug, row.name, row.context_length)
    return Model(**listed, pricing=_pricing(row.price))


def _pricing(price: Price | None) -> dict[str, str] | None:
    """US dollars per token, as texts; None where it is not known."""
    if price is None:
        return None

    def each(amount: Decimal) -> str:
        return f"{(amount / MILLION).normalize():f}"

    pricing = {"prompt": each(price.input), "completion": each(price.output)}
    if price.cached_input is not None:
        pricing["input_cache_read"] = each(price.cached_input)
    return pricing
