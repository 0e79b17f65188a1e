"""The models to which somebody has given a star: they stand before others where one chooses."""

from __future__ import annotations

from django.contrib.auth.models import User

from ..models import CatalogModel, FavouriteModel
from .errors import Refused

MOST = 100  # of one person


def favourites_of(person: User) -> list[tuple[str, str]]:
    """(credential's slug, model), the first that was given first."""
    given = FavouriteModel.objects.filter(person=person).order_by("pk")
    return [*given.values_list("credential", "model")]


def favourite_set(*, person: User, name: str, on: bool) -> None:
    """`name`: credential:model, as lists tell it. Raises Refused."""
    key, _, model = name.partition(":")
    given = FavouriteModel.objects.filter(person=person)
    if not on:
        given.filter(credential=key, model=model).delete()
        return
    if not CatalogModel.objects.filter(credential__slug=key, model=model).exists():
        raise Refused("No list has a model of that name.")
    if given.count() >= MOST:
        raise Refused(f"You have given {MOST} stars: take one back first.")
    FavouriteModel.objects.get_or_create(person=person, credential=key, model=model)
