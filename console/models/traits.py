"""What was learned of a model from how it was served, and until when that is believed.

A hint and no record: it saves the calls in which the same would be learned again. It
ends, so that a server that was mended is soon asked as all others are.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import cache, reduce
from operator import or_

from django.db import models
from django.utils import timezone

from .credentials import Credential
from .prepared import Placeholder, Prepared, count_for, each, some

BELIEVED_FOR = timedelta(days=7)
LONGEST_NAME = 200


class ModelTrait(models.Model):
    credential = models.ForeignKey(Credential, models.CASCADE, related_name="traits")
    # Of the server where it was learned: behind another address nothing is known of it.
    address = models.CharField(max_length=300)
    model = models.CharField(max_length=LONGEST_NAME)
    name = models.CharField(max_length=40)
    value = models.CharField(max_length=200)
    learned_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["credential", "model", "name"], name="trait_of_model")
        ]

    def __str__(self) -> str:
        return f"{self.model}: {self.name} {self.value}"


def traits_known(*credentials: Credential) -> dict[int, list[tuple[str, str, str]]]:
    """Credential -> (model, name, value) of what is believed now."""
    known: dict[int, list[tuple[str, str, str]]] = {c.pk: [] for c in credentials}
    if not known:
        return known
    address = {c.pk: c.url for c in credentials}
    ids = [*known]
    question = _believed(count_for(ids))
    for trait in question.rows(now=timezone.now(), **each("credential", ids)):
        if trait.address == address[trait.credential_id]:
            known[trait.credential_id].append((trait.model, trait.name, trait.value))
    return known


@cache
def _believed(count: int) -> Prepared:
    ids = some("credential", models.BigIntegerField(), count)
    theirs = reduce(or_, (models.Q(credential=one) for one in ids))
    until = Placeholder("now", models.DateTimeField())
    return Prepared(lambda: ModelTrait.objects.filter(theirs, ends_at__gt=until).order_by("pk"))


def traits_learned(slug: str, address: str, learned: Iterable[tuple[str, str, str]]) -> None:
    """Keep what a run has learned; "" as a value forgets it."""
    credential = Credential.objects.filter(slug=slug).first()
    if credential is None or credential.url != address:
        return  # of a server that is another one by now
    now = timezone.now()
    credential.traits.filter(ends_at__lt=now).delete()
    for model, name, value in learned:
        if len(model) > LONGEST_NAME:
            continue
        if not value:
            credential.traits.filter(model=model, name=name).delete()
            continue
        credential.traits.update_or_create(
            model=model,
            name=name,
            defaults={
                "address": address,
                "value": value,
                "learned_at": now,
                "ends_at": now + BELIEVED_FOR,
            },
        )
