"""The terms on which calls may be made: what is asked of whoever handles data and money.

A *promise* is kept by whoever is asked, or nobody is asked. What is a mere preference
(`routing`, `beside`) is handed on to a server that knows it and left out elsewhere. Terms of a
run hold for every call of it, whichever step and whoever stands in; those of a seat for the
seat's calls, too. Of several terms the strictest holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

# Promise -> what it is called where it stands among others.
PROMISES = {
    "only_local": "only on this machine",
    "zero_retention": "zero retention",
    "no_training": "no training",
    "only_providers": "only these providers",
    "ignored_providers": "not these providers",
    "max_price": "a highest price",
    "distillable": "only models whose texts others may be trained on",
}


class NobodyLeft(ValueError):
    """Nobody can keep both; the message is a sentence."""


@dataclass(frozen=True)
class Terms:
    """Providers are named as OpenRouter names them; prices are dollars per million tokens.

    `routing` are preferences among providers, and `beside` what stands beside them in
    a request to OpenRouter that asks for an answer to the prompt.
    """

    only_local: bool = False
    zero_retention: bool = False
    no_training: bool = False
    only_providers: tuple[str, ...] = ()
    ignored_providers: tuple[str, ...] = ()
    max_price: Mapping[str, float] = field(default_factory=dict, hash=False)
    distillable: bool = False
    routing: Mapping[str, Any] = field(default_factory=dict, hash=False)
    beside: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def promises(self) -> list[str]:
        """Those that are asked for, by name."""
        return [name for name in PROMISES if getattr(self, name)]

    @property
    def words(self) -> list[str]:
        """As a column's head has them."""
        return [self.word(name) for name in self.promises]

    def word(self, name: str) -> str:
        """A promise as it was asked for."""
        match name:
            case "only_providers":
                return f"only {', '.join(self.only_providers)}"
            case "ignored_providers":
                return f"not {', '.join(self.ignored_providers)}"
            case "max_price":
                prices = (f"${price:g} {what}" for what, price in self.max_price.items())
                return f"at most {', '.join(prices)}"
        return PROMISES[name]

    def and_also(self, other: Terms) -> Terms:
        """Both; of preferences those of `other` go before. Raises NobodyLeft."""
        if other in (NONE, self):
            return self
        return replace(
            self,
            only_local=self.only_local or other.only_local,
            zero_retention=self.zero_retention or other.zero_retention,
            no_training=self.no_training or other.no_training,
            only_providers=_both(self.only_providers, other.only_providers),
            ignored_providers=_either(self.ignored_providers, other.ignored_providers),
            max_price=_lowest(self.max_price, other.max_price),
            distillable=self.distillable or other.distillable,
            routing={**self.routing, **other.routing},
            beside={**self.beside, **other.beside},
        ).checked()

    def checked(self) -> Terms:
        left = set(self.only_providers) - set(self.ignored_providers)
        if self.only_providers and not left:
            raise NobodyLeft("No provider is left: those that alone may be asked are ruled out.")
        return self

    def without_beside(self) -> Terms:
        return replace(self, beside={}) if self.beside else self

    def to_dict(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Terms:
        """Whoever reads it has seen to it that no field is missing or unknown."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**values)


NONE = Terms()


def _both(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    if not (one and other):
        return one or other
    both = tuple(name for name in one if name in other)
    if not both:
        raise NobodyLeft(
            f"No provider is left: only {', '.join(one)} may be asked, and only {', '.join(other)}."
        )
    return both


def _either(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return (*one, *(name for name in other if name not in one))


def _lowest(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    names = dict.fromkeys([*one, *other])
    return {n: min(p for p in (one.get(n), other.get(n)) if p is not None) for n in names}
