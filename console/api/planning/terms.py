"""What a request asks of data handling and money, in OpenRouter's words and in ours."""

from __future__ import annotations

from typing import Any

from ...engine.terms import NONE, NobodyLeft, Terms
from ..http.errors import ApiError
from .schemas import Asking, OwnTerms, ProviderWishes

# Of `provider`: what only says whom to ask first, and in what way.
PREFERENCES = {
    *("order", "allow_fallbacks", "require_parameters", "quantizations", "sort"),
    *("preferred_min_throughput", "preferred_max_latency"),
}


def terms_of(body: Asking, of_token: Terms = NONE) -> Terms:
    """Of the whole request, with what its token asks of each. Raises ApiError."""
    beside: dict[str, Any] = {
        "plugins": [p for p in body.plugins or () if p.get("id") != "fusion"] or None,
        "transforms": body.transforms,
        "stop_server_tools_when": body.stop_server_tools_when,
    }
    beside = {name: value for name, value in beside.items() if value is not None}
    return together(of_token, asked_terms(body.fusion, body.provider), Terms(beside=beside))


def asked_terms(own: OwnTerms, provider: ProviderWishes | None) -> Terms:
    terms = Terms(
        only_local=own.only_local,
        zero_retention=own.zero_retention,
        no_training=own.no_training,
        only_providers=_names(own.only_providers),
    )
    return together(terms, of_provider(provider)) if provider else terms


def of_provider(provider: ProviderWishes) -> Terms:
    only = _names(provider.only)
    if not only and provider.order and provider.allow_fallbacks is False:
        # In this order, and nobody else: that is more than a preference.
        only = _names(provider.order)
    prices = provider.max_price.model_dump(exclude_none=True) if provider.max_price else {}
    return Terms(
        zero_retention=bool(provider.zdr),
        no_training=provider.data_collection == "deny",
        only_providers=only,
        ignored_providers=_names(provider.ignore),
        max_price=prices,
        distillable=bool(provider.enforce_distillable_text),
        routing=provider.model_dump(include=PREFERENCES, exclude_none=True),
    )


def together(*several: Terms) -> Terms:
    """Raises ApiError."""
    whole = NONE
    try:
        for terms in several:
            whole = whole.and_also(terms)
    except NobodyLeft as nobody:
        raise ApiError("invalid_request", str(nobody), param="provider") from None
    return whole


def places(
    own: OwnTerms, provider: ProviderWishes | None, key: str, *, of: str = "", ours: str = "fusion."
) -> dict[str, str]:
    """`key` and promise -> the field of the request that asks for it; one of our own words wins.

    `of` is what `provider` stands in, `ours` what our words stand in."""
    found: dict[str, str] = {}
    if provider:
        words = _WORDS | {"only_providers": "only" if provider.only else "order"}
        promises = of_provider(provider).promises
        found |= {name: f"{of}provider.{words[name]}" for name in promises}
    found |= {name: f"{ours}{name}" for name in asked_terms(own, None).promises}
    return {f"{key}{name}": field for name, field in found.items()}


# Promise -> OpenRouter's name of the field that asks for it.
_WORDS = {
    "zero_retention": "zdr",
    "no_training": "data_collection",
    "ignored_providers": "ignore",
    "max_price": "max_price",
    "distillable": "enforce_distillable_text",
}


def _names(given: list[str] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.casefold() for name in given or ()))
