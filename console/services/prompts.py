"""Prompts to start from: templates with blanks, and what one has asked before."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Left

from ..models import PromptTemplate, Run
from ..models.prepared import READER, Prepared
from ..models.runs import Origin
from ..record.order import OrderAsked, in_order
from .errors import Refused
from .offering import MOST, must_be_named
from .prompt_starters import BY_KEY, Starter
from .prompt_text import Blank, Part, blanks, filled, read
from .runs import clean_text

LONGEST_TEXT = 20_000
ASKED, LOOKED_AT, TOLD_OF_EACH = 8, 24, 140


@dataclass(frozen=True)
class Template:
    """One to be filled in, whoever's it is. `key` is what a form names it by."""

    key: str
    name: str
    version: int
    parts: list[Part]

    @property
    def blanks(self) -> list[Blank]:
        return blanks(self.parts)

    @property
    def example(self) -> dict[str, str]:
        return {blank.name: blank.example for blank in self.blanks if blank.example}

    def why_not(self, values: Mapping[str, str]) -> dict[str, str]:
        """What is wrong with each value, by the blank's name."""
        said = {b.name: b.why_not(values.get(b.name, "")) for b in self.blanks}
        return {name: sentence for name, sentence in said.items() if sentence}

    def filled(self, values: Mapping[str, str]) -> str:
        return filled(self.parts, values)

    def record(self, values: Mapping[str, str]) -> dict[str, Any]:
        """As a run keeps it (`Run.template`)."""
        kept = {b.name: values.get(b.name, "") for b in self.blanks}
        return {"key": self.key, "name": self.name, "version": self.version, "values": kept}


def template_of(kept: PromptTemplate | Starter) -> Template:
    key = kept.key if isinstance(kept, Starter) else str(kept.pk)
    return Template(key, kept.name, kept.version, read(kept.text))


def starter_of(key: str) -> Starter | None:
    return BY_KEY.get(key)


@dataclass(frozen=True)
class AskedBefore:
    run_id: uuid.UUID
    beginning: str = field(repr=False)


@cache
def _latest_asked() -> Prepared:
    own = Run.objects.filter(owner_id=READER, origin=Origin.PAGE, follows=None)
    own = in_order(own, READER, OrderAsked()).order_by("-created_at")
    return Prepared(own.values_list("pk", Left("prompt", TOLD_OF_EACH))[:LOOKED_AT].all)


def asked_before(person: User) -> list[AskedBefore]:
    """What they asked on the page and have not archived, the latest first, each once."""
    first: dict[str, uuid.UUID] = {}
    for pk, beginning in _latest_asked().rows(reader=person.pk):
        first.setdefault(" ".join(beginning.split()), pk)
    return [AskedBefore(pk, beginning) for beginning, pk in first.items()][:ASKED]


def prompt_save(
    *,
    by: User,
    name: str,
    text: str,
    description: str = "",
    template: PromptTemplate | None = None,
) -> PromptTemplate:
    """A new one of theirs, or `template` as it is to be from now on. Raises Refused."""
    name, description = clean_text(name).strip(), clean_text(description).strip()
    text = clean_text(text).strip("\n")
    must_be_named(name, description)
    if not text.strip():
        raise Refused("Write what is to be asked.")
    longest = min(LONGEST_TEXT, settings.MAX_PROMPT_CHARACTERS)
    if len(text) > longest:
        raise Refused(f"The text has {len(text):,} characters; {longest:,} are allowed.")
    read(text)  # it can be filled in
    with transaction.atomic():
        if template is None:
            # Two of one person are counted one after the other.
            User.objects.select_for_update().get(pk=by.pk)
            if PromptTemplate.objects.filter(owner=by).count() >= MOST:
                raise Refused(f"You have {MOST} templates: delete one first.")
            template = PromptTemplate(owner=by)
        else:
            template = PromptTemplate.objects.select_for_update().filter(pk=template.pk).first()
            if template is None:
                raise Refused("It was deleted meanwhile.")
        is_new_text = template.pk is None or template.text != text
        if template.pk and is_new_text:
            template.version += 1
        template.name, template.description, template.text = name, description, text
        template.save()
        if is_new_text:
            template.versions.create(number=template.version, text=text, changed_by=by)
    return template


def prompt_delete(*, template: PromptTemplate) -> None:
    """Runs that were asked with it keep what they were asked."""
    template.delete()
