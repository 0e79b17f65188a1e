"""From what people type to a model at its server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..models import CatalogModel, Credential
from ..models.credentials import all_credentials
from .listings import Lookup, all_models, look_up
from .near import MOST, names_like, question
from .prices import plain_name

MAX_NAME = 200


class UnknownName(Exception):
    """Nobody can be asked by this name; the message is one plain sentence for whoever typed it,
    `near` are names that somebody could be asked by."""

    def __init__(self, sentence: str, near: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.near = tuple(near)


@dataclass(frozen=True)
class ModelAt:
    """A model, and the credential it is asked with: nothing is left to be found out."""

    credential: Credential
    model: str


class ModelNames:
    """Which credential is meant by one of `names`, and, by `look`, what is listed of it. Servers
    are asked only if they may be meant.

    `listed_only`: unlike a person at the page, a program is told at once that no server lists
    what it asks for.
    """

    def __init__(self, *names: str, listed_only: bool = False) -> None:
        self._credentials = {c.slug: c for c in all_credentials()}
        self._ready = [c for c in self._credentials.values() if c.is_ready]
        self._listed_only = listed_only
        self._lists: tuple[list[CatalogModel], list[str]] | None = None
        names = tuple(name.strip() for name in names)
        # Asked unless they were lately, all at once: what the calls cost is wanted next.
        slugs = {self._only_at(name) for name in names}
        look_up([c for c in self._ready if None in slugs or c.slug in slugs])
        # Of lists that are thousands of models long only what the names may mean is read.
        self.look = Lookup(
            (c, model) for name in names for c, model in self._possible(name) if _may_be(model)
        )

    def _only_at(self, name: str) -> str | None:
        """The one credential that can be meant; None where others may list it."""
        slug, _, model = name.partition(":")
        return slug if slug in self._credentials and "/" in model else None

    def _possible(self, name: str) -> Iterator[tuple[Credential, str]]:
        slug, _, model = name.partition(":")
        if slug in self._credentials:
            credential, model = self._credentials[slug], model.strip()
            yield from ((credential, model), (credential, plain_name(credential, model)))
        if self._only_at(name) is None:
            for credential in self._ready:
                yield from ((credential, name), (credential, name.rpartition(":")[0]))

    def find(self, name: str) -> ModelAt:
        """`model` or `credential:model`. Raises UnknownName."""
        name = name.strip()
        # A model's own name may hold a colon too (llama3:8b), so only a slug counts.
        slug, _, model = name.partition(":")
        names_a_credential = bool(model.strip()) and slug in self._credentials
        if self._listed_only and not names_a_credential:
            self._must_be_listed(name)
        if not _may_be(name):
            raise UnknownName("A model's name is one line of at most 200 plain characters.")
        if names_a_credential:
            return self._elsewhere(name, slug, model.strip()) or self._at(
                self._credentials[slug], model.strip()
            )
        return self._offered(name) or self._unlisted(name)

    def _elsewhere(self, name: str, slug: str, model: str) -> ModelAt | None:
        """`mistral:7b` may be a model of that name, whatever the credential “mistral” is."""
        if "/" in model:  # a tag has none, and nobody need be asked
            return None
        offering = self._listing(name)
        if not offering:
            return None
        if slug in self._listing(model) and offering != [slug]:
            choices = " or ".join(f"{at}:{name}" for at in offering)
            raise UnknownName(
                f"{name} is a model of {self._credentials[slug].name}, named {model}, and one "
                f"that is named so: name that one {choices}.",
                [f"{at}:{name}" for at in offering],
            )
        return self._offered(name)

    def _at(self, credential: Credential, model: str) -> ModelAt:
        if lacks := credential.lacks:
            raise UnknownName(lacks)
        return ModelAt(credential, model)

    def _offered(self, name: str) -> ModelAt | None:
        if not self._ready:
            raise UnknownName("No provider is set up yet. An admin can add a provider key.")
        offering = self._listing(name) or self._offering_variant(name)
        if len(offering) > 1:
            choices = " or ".join(f"{slug}:{name}" for slug in offering)
            raise UnknownName(
                f"Several providers offer {name}: name it {choices}.",
                [f"{slug}:{name}" for slug in offering],
            )
        return ModelAt(self._credentials[offering[0]], name) if offering else None

    def _offering_variant(self, name: str) -> list[str]:
        """Who lists `model` and knows what `model:free` is; nobody is asked for `model` instead."""
        model, _, variant = name.rpartition(":")
        return sorted(
            slug
            for slug in self._listing(model)
            if (kind := self._credentials[slug].known_kind) and variant in kind.variants
        )

    def _unlisted(self, name: str) -> ModelAt:
        """A server may know it all the same. The built-in model has one name."""
        servers = [c for c in self._ready if not c.is_local] or self._ready
        if len(servers) == 1:
            return ModelAt(servers[0], name)
        choices = " or ".join(f"{c.slug}:{name}" for c in servers)
        near = self._near(name)
        raise UnknownName(
            f"No provider lists {name}.{question(near)} "
            f"To ask for it all the same, name it {choices}.",
            near,
        )

    def _must_be_listed(self, name: str) -> None:
        if self._listing(name) or self._offering_variant(name):
            return
        listed, errors = self._all()
        if listed and not errors:
            near = self._near(name)
            raise UnknownName(f"There is no model “{name}”.{question(near)}", near)

    def _near(self, name: str) -> list[str]:
        """As they can be asked for: with the credential where several servers list a name."""
        servers: dict[str, list[str]] = {}
        for listed in self._all()[0]:
            servers.setdefault(listed.model, []).append(listed.credential_slug)
        likely = [
            model if len(servers[model]) == 1 else f"{slug}:{model}"
            for model in names_like(name, servers)
            for slug in sorted(servers[model])
        ]
        if not likely and ":" in name:  # a credential that is nearly right, too
            whole = [f"{slug}:{model}" for model, slugs in servers.items() for slug in slugs]
            likely = names_like(name, whole)
        return likely[:MOST]

    def _listing(self, model: str) -> list[str]:
        """Who lists exactly this, as it is known already."""
        if not _may_be(model):
            return []
        rows = ((c.slug, self.look(c, model)) for c in self._ready)
        return sorted(slug for slug, row in rows if row and not row.gone_at)

    def _all(self) -> tuple[list[CatalogModel], list[str]]:
        if self._lists is None:
            self._lists = all_models()
        return self._lists


def _may_be(model: str) -> bool:
    """No server has a model of another name, and not every database can look one up."""
    return bool(model) and model.isprintable() and len(model) <= MAX_NAME
